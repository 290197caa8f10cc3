using CsCheck;
using DeviceMapper.Io;
using DeviceMapper.Mapping;
using DeviceMapper.Native;

namespace DeviceMapper.Tests.Mapping;

public sealed class MinorNumbersTests
{
    [Fact]
    public void The_lowest_free_minor_is_always_given_first()
    {
        Gen.Int[-6, 9].Array[0, 60].Sample(steps =>
        {
            MinorNumbers minors = new();
            SortedSet<uint> taken = [];
            foreach (int step in steps)
            {
                if (step < 0) // the lowest
                {
                    uint lowest = 0;
                    while (taken.Contains(lowest))
                    {
                        lowest++;
                    }

                    Assert.Equal(lowest, minors.Take());
                    taken.Add(lowest);
                }
                else if (taken.Remove((uint)step))
                {
                    minors.Free((uint)step);
                }
                else
                {
                    Assert.Equal((uint)step, minors.Take((uint)step));
                    taken.Add((uint)step);
                    Assert.Equal(Errno.EBUSY, Assert.Throws<DmException>(() => minors.Take((uint)step)).Errno);
                }
            }
        });
    }

    [Fact]
    public void There_are_two_to_the_twentieth()
    {
        MinorNumbers minors = new();
        Assert.Equal(Errno.EINVAL, Assert.Throws<DmException>(() => minors.Take(DeviceNumber.MaxMinor + 1)).Errno);
        for (uint i = 0; i <= DeviceNumber.MaxMinor; i++)
        {
            minors.Take();
        }

        Assert.Equal(Errno.EBUSY, Assert.Throws<DmException>(() => minors.Take()).Errno);
        minors.Free(77);
        Assert.Equal(77u, minors.Take());
    }
}
