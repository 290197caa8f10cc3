using DeviceMapper.Io;
using DeviceMapper.Mapping;

namespace DeviceMapper.Tests.Mapping;

/// <summary>Bios that wait: those that were handed back before those that only came.</summary>
public sealed class BioListTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("1 2 3", "1 2 3")]
    [InlineData("-1 -2 -3", "-1 -2 -3")]
    [InlineData("1 2 -3", "-3 1 2")]
    [InlineData("1 -2 3 -4 5 -6", "-2 -4 -6 1 3 5")]
    [InlineData("-1 2 -3 4", "-1 -3 2 4")]
    public void Order_is_kept(string come, string go)
    {
        BioList list = new();
        for (int round = 0; round < 2; round++)
        {
            foreach (int number in Numbers(come))
            {
                Bio bio = Bio.Rent();
                bio.ContextValue = (ulong)(long)number;
                if (number < 0)
                {
                    list.AddBeforeParked(bio);
                }
                else
                {
                    list.Add(bio);
                }
            }

            Assert.Equal(Numbers(come).Length, list.Count);
            List<int> gone = [];
            for (Bio? bio = list.TakeAll(); bio is not null; bio = bio.Next)
            {
                gone.Add((int)(long)bio.ContextValue);
            }

            Assert.Equal(Numbers(go), gone);
            Assert.Equal(0, list.Count);
        }
    }

    private static int[] Numbers(string text) => [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];
}
