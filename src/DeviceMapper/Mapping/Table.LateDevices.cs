using DeviceMapper.Backends;
using DeviceMapper.Native;

namespace DeviceMapper.Mapping;

/// <content>Table devices that are opened once the table stands: those that it names, and that could not be opened when it was built.</content>
public sealed partial class Table
{
    private readonly Lock _lateDevices = new();

    /// <summary>
    /// Gets a table device for a target of a table that stands. For a thread of the target's own, which has ended when the target's
    /// Dispose returns. Mapped devices are not opened so late, since they might lead back to this one.
    /// </summary>
    /// <exception cref="DmException">As <see cref="GetDevice"/>.</exception>
    internal DeviceReference GetDeviceLate(string word, CancellationToken cancellation)
    {
        DeviceSpec spec = Owner.Registry.Resolve(word, _resolving);
        if (spec.Mapped is not null)
        {
            throw new DmException(Errno.EINVAL, $"'{word}' is a mapped device, which a table can get only when it is loaded");
        }

        (TableDevice device, _) = Owner.TableDevices.Get(spec, Mode, cancellation);
        lock (_lateDevices)
        {
            if (_devices.Find(d => d.TableDevice == device) is { } known)
            {
                known.Users++;
                Owner.PutTableDevice(device); // a table refers to each once
                return known;
            }

            DeviceReference reference = new(device, TableParser.EscapeWord(spec.Name));
            _devices = [.. _devices, reference];
            return reference;
        }
    }

    /// <summary>Gives back what <see cref="GetDeviceLate"/> got, where it turns out not to fit.</summary>
    internal void PutDeviceLate(DeviceReference reference)
    {
        lock (_lateDevices)
        {
            if (--reference.Users > 0)
            {
                return;
            }

            _devices = [.. _devices.Where(d => d != reference)];
        }

        Owner.PutTableDevice(reference.TableDevice);
    }
}
