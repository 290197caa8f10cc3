using CsCheck;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Tests.Mapping;

/// <summary>Text of tables: read, written, and read again.</summary>
public sealed class TableParserTests
{
    // Characters that matter to somebody on the way, and some that do to nobody.
    private static readonly Gen<string> Word = Gen.String[Gen.Char["ab01:/-_.?=&#,;\\ \t\"'äß\u00a0€"], 1, 12];

    [Fact]
    public void An_escaped_word_is_one_word_and_itself()
    {
        Word.Sample(word => Assert.Equal([word], TableParser.SplitWords(TableParser.EscapeWord(word))));
    }

    [Fact]
    public void Escaped_words_can_be_told_apart_again()
    {
        Gen.Select(Word.Array[0, 8], Gen.String[Gen.Char[" \t"], 1, 3]).Sample(
            (words, blank) => Assert.Equal(words, TableParser.SplitWords($"{blank}{string.Join(blank, words.Select(TableParser.EscapeWord))}{blank}")));
    }

    [Fact]
    public void A_table_that_is_printed_is_read_as_the_same_table()
    {
        Gen<TableLine> line = Gen.Select(
            Gen.ULong,
            Gen.ULong,
            Word.Array[0, 4],
            (start, length, words) => new TableLine(new Sector(start), new SectorCount(length), "linear", string.Join(' ', words.Select(TableParser.EscapeWord))));
        line.Array[0, 6].Sample(lines => Assert.Equal(lines, TableParser.Parse(string.Join('\n', lines))));
    }

    [Fact]
    public void Empty_lines_and_comments_and_blanks_around_are_skipped()
    {
        Assert.Equal(
            [new TableLine(default, new SectorCount(8), "zero", ""), new TableLine(new Sector(8), new SectorCount(8), "linear", "a  0")],
            TableParser.Parse("# a table\n\n  0 8 zero  \r\n\t# more\n8\t8\tlinear\ta  0\n\n"));
    }

    [Theory]
    [InlineData("0", "line 1: '0' is not 'start length target arguments'")]
    [InlineData("0 8", "line 1: '0 8' is not 'start length target arguments'")]
    [InlineData("x 8 zero", "line 1: start: 'x' is not a sector number")]
    [InlineData("0 y zero", "line 1: length: 'y' is not a number of sectors")]
    [InlineData("0 8 zero\n\n8 z zero", "line 3: length: 'z' is not a number of sectors")]
    public void A_line_that_is_none_is_refused_by_its_number(string text, string sentence)
    {
        DmException refusal = Assert.Throws<DmException>(() => TableParser.Parse(text));
        Assert.Equal((Errno.EINVAL, sentence), (refusal.Errno, refusal.Message));
    }

    [Fact]
    public void No_text_makes_the_parser_fail_otherwise()
    {
        Gen.String[Gen.Char["019 -+x#\\\n\t\r\u00a0"], 0, 30].Sample(text =>
        {
            try
            {
                foreach (TableLine line in TableParser.Parse(text))
                {
                    TableParser.SplitWords(line.Arguments);
                }
            }
            catch (DmException e)
            {
                Assert.Equal(Errno.EINVAL, e.Errno);
            }
        });
    }

    [Theory]
    [InlineData("a b", new[] { "a", "b" })]
    [InlineData(" a\\ b ", new[] { "a b" })]
    [InlineData("a\\\\b", new[] { "a\\b" })]
    [InlineData("a\\", new[] { "a\\" })]
    [InlineData("\\  x", new[] { " ", "x" })]
    [InlineData("", new string[0])]
    public void A_backslash_takes_the_next_character_as_it_is(string arguments, string[] words) =>
        Assert.Equal(words, TableParser.SplitWords(arguments));
}
