using Udm.Run;

namespace Udm.Tests.Run;

/// <summary>The seccomp filter's program, carried out as the kernel does it.</summary>
public sealed class NotificationFilterTests
{
    private const uint X64 = 0xc000003e, I386 = 0x40000003; // AUDIT_ARCH_*
    private const uint Allow = 0x7fff0000, Notify = 0x7fc00000; // SECCOMP_RET_*
    private const int X32 = 0x40000000; // in the number of a call of the x32 ABI, which has x86-64's architecture

    [Fact]
    public void Calls_with_paths_are_sent_to_the_supervisor()
    {
        foreach (SystemCall call in Enum.GetValues<SystemCall>().Where(call => call != SystemCall.IoCtl))
        {
            Assert.Equal(Notify, Answer(X64, (int)call));
        }
    }

    [Theory]
    [InlineData(0)] // read
    [InlineData(1)]
    [InlineData(3)] // close
    [InlineData(17)] // pread64
    [InlineData(231)] // exit_group
    [InlineData((int)SystemCall.OpenAt | X32)]
    public void Other_calls_go_at_full_speed(int call) => Assert.Equal(Allow, Answer(X64, call));

    [Theory]
    [InlineData(0xc138fd00, Notify)] // DM_VERSION
    [InlineData(0x1234fd09, Notify)] // the kernel's device mapper looks at no other bits either
    [InlineData(0x80081272, Notify)] // BLKGETSIZE64
    [InlineData(0x5401, Allow)] // TCGETS
    [InlineData(0x4c80, Allow)] // LOOP_CTL_ADD
    public void Of_ioctls_the_type_counts(uint request, uint answer) => Assert.Equal(answer, Answer(X64, (int)SystemCall.IoCtl, request));

    [Theory]
    [InlineData(5)] // open
    [InlineData((int)SystemCall.OpenAt)]
    public void Programs_of_32_bits_see_the_machine_as_it_is(int call) => Assert.Equal(Allow, Answer(I386, call));

    /// <summary>What the program answers to a <c>struct seccomp_data</c>; only the instructions that it has are known.</summary>
    private static uint Answer(uint architecture, int number, uint request = 0)
    {
        uint[] data = [(uint)number, architecture, 0, 0, 0, 0, request, 0];
        ulong[] program = NotificationFilter.Instructions();
        uint accumulator = 0;
        for (int at = 0; ; at++)
        {
            (ushort code, byte ifTrue, byte ifFalse, uint operand) = ((ushort)program[at], (byte)(program[at] >> 16), (byte)(program[at] >> 24), (uint)(program[at] >> 32));
            switch (code)
            {
                case 0x20: // BPF_LD | BPF_W | BPF_ABS
                    accumulator = data[operand / sizeof(uint)];
                    break;
                case 0x54: // BPF_ALU | BPF_AND | BPF_K
                    accumulator &= operand;
                    break;
                case 0x15: // BPF_JMP | BPF_JEQ | BPF_K
                    at += accumulator == operand ? ifTrue : ifFalse;
                    break;
                case 0x06: // BPF_RET | BPF_K
                    return operand;
                default:
                    throw new InvalidDataException($"an instruction {code:x} at {at}");
            }
        }
    }
}
