using System.Text;

namespace DeviceMapper.Targets.Mirror;

/// <summary>A log in memory, <c>core &lt;#words&gt; &lt;region size&gt; [[no]sync]</c>: with each new table all regions are copied, unless it says <c>nosync</c>.</summary>
internal sealed class CoreLog(LogArguments arguments) : DirtyLog(arguments)
{
    /// <inheritdoc/>
    public override bool IsDurable => false;

    /// <inheritdoc/>
    public override void AppendStatus(StringBuilder text) => text.Append("1 core");

    /// <inheritdoc/>
    public override void AppendTable(StringBuilder text)
    {
        text.Append($"core {(SyncWord == LogSync.Default ? 1 : 2)} ");
        AppendRegions(text);
    }
}
