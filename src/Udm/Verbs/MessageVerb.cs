using System.Globalization;
using DeviceMapper.Io;
using Udm.Reports;

namespace Udm.Verbs;

/// <summary>Sends a message to a target, or to the device itself.</summary>
internal sealed class MessageVerb : Verb
{
    /// <inheritdoc/>
    public override string Name => "message";

    /// <inheritdoc/>
    public override string Usage => "[--json] DEVICE SECTOR MESSAGE...";

    /// <inheritdoc/>
    public override string Summary => "Sends a message to the target that maps a sector; one that starts with @ to the device itself.";

    /// <inheritdoc/>
    public override string Help =>
        """
        The words of the message are joined by blanks. What the target answers is printed.

        Example:
          udm message data 0 @stats_list
        """;

    /// <inheritdoc/>
    public override int MinOperands => 2;

    /// <inheritdoc/>
    public override int Run(VerbContext context)
    {
        int first = context.IsSelectedByOption ? 0 : 1;
        DeviceSelector device = context.Select(first == 0 ? null : context.Operands[0]);
        string word = context.Operands[first];
        if (!ulong.TryParse(word, NumberStyles.AllowLeadingSign | NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture, out ulong sector))
        {
            throw new VerbException($"sector '{word}' is not a number");
        }

        // Without words the message is empty, and the daemon refuses it.
        string message = string.Join(' ', context.Operands.Skip(first + 1));
        string? answer = context.Devices.Message(device, new Sector(sector), message, context.Flags);
        if (context.PrintsJson)
        {
            JsonValues.Print(context.Out, writer => writer.WriteString("answer", answer));
        }
        else if (answer is not null)
        {
            context.Out.Write(answer);
            if (answer.Length > 0 && answer[^1] != '\n')
            {
                context.Out.Write('\n');
            }
        }

        return 0;
    }
}
