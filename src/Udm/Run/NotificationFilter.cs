using DeviceMapper.Ioctl;

namespace Udm.Run;

/// <summary>
/// The seccomp filter: it sends the calls that may concern the device mapper to the supervisor, and lets all others go at full speed.
/// It sees numbers and plain arguments only, so a path is looked at by the supervisor.
/// </summary>
internal static class NotificationFilter
{
    private const uint Architecture = 0xc000003e; // AUDIT_ARCH_X86_64
    private const uint Allow = 0x7fff0000, Notify = 0x7fc00000; // SECCOMP_RET_*
    private const uint NumberOffset = 0, ArchitectureOffset = 4, RequestOffset = 24; // in struct seccomp_data; the request is ioctl's second argument
    private const ushort LoadWord = 0x20, And = 0x54, JumpIfEqual = 0x15, Return = 0x06; // BPF_*

    /// <summary>The instructions, a <c>struct sock_filter</c> each: code, jump if true, jump if false, operand.</summary>
    public static ulong[] Instructions()
    {
        SystemCall[] paths = [.. Enum.GetValues<SystemCall>().Where(c => c != SystemCall.IoCtl)];
        List<ulong> program =
        [
            Make(LoadWord, ArchitectureOffset),
            Make(JumpIfEqual, Architecture, ifTrue: 1),
            Make(Return, Allow), // 32-bit programs see the machine as it is
            Make(LoadWord, NumberOffset),
            Make(JumpIfEqual, (uint)SystemCall.IoCtl, ifTrue: (byte)(paths.Length + 1)),
        ];
        for (int i = 0; i < paths.Length; i++)
        {
            program.Add(Make(JumpIfEqual, (uint)paths[i], ifTrue: (byte)(paths.Length - i + 5)));
        }

        program.Add(Make(Return, Allow));
        program.Add(Make(LoadWord, RequestOffset));
        program.Add(Make(And, 0xff00));
        program.Add(Make(JumpIfEqual, DmCommands.Type << 8, ifTrue: 2));
        program.Add(Make(JumpIfEqual, BlockIoctls.Type << 8, ifTrue: 1));
        program.Add(Make(Return, Allow));
        program.Add(Make(Return, Notify));
        return [.. program];
    }

    private static ulong Make(ushort code, uint operand, byte ifTrue = 0) => code | ((ulong)ifTrue << 16) | ((ulong)operand << 32);
}
