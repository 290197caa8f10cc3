using System.Globalization;
using System.Text;

namespace DeviceMapper.Targets;

/// <summary>
/// What the kernel's IMA measures of a target: <c>target_name=NAME,target_version=X.Y.Z,NAME=VALUE,...;</c> (STATUSTYPE_IMA, and DM_IMA_MEASUREMENT_FLAG of
/// drivers/md/dm-ioctl.c). Nothing at all where a target adds nothing, as most do.
/// </summary>
/// <param name="text">Where to.</param>
public readonly struct Measurement(StringBuilder text)
{
    /// <summary>Measures a target.</summary>
    internal void Take(Target target)
    {
        int start = text.Length;
        target.Measure(this);
        if (text.Length > start)
        {
            text.Insert(start, $"target_name={target.Type.Name},target_version={target.Type.Version}").Append(';');
        }
    }

    /// <summary>Adds a value.</summary>
    public Measurement Add<T>(string name, T value)
        where T : notnull
    {
        text.Append(CultureInfo.InvariantCulture, $",{name}={value}");
        return this;
    }

    /// <summary>Adds <c>y</c> or <c>n</c>.</summary>
    public Measurement Add(string name, bool value) => Add(name, value ? 'y' : 'n');
}
