using System.Text;
using DeviceMapper.Ioctl;
using Udm.Daemon;
using Udm.Verbs;

// Output is collected, and goes out at the end or before an error, in UTF-8 whatever the locale.
UTF8Encoding utf8 = new(encoderShouldEmitUTF8Identifier: false);
using StreamWriter output = new(Console.OpenStandardOutput(), utf8, bufferSize: 16 * 1024);
using StreamWriter error = new(Console.OpenStandardError(), utf8) { AutoFlush = true };
using StreamReader input = new(Console.OpenStandardInput(), utf8);

// The launcher ./udm tells its own name, since it becomes another program.
string program = Environment.GetEnvironmentVariable("UDM_COMMAND") is { Length: > 0 } launcher ? launcher : Environment.GetCommandLineArgs()[0];
CommandLine line = CommandLine.Parse(CommandLine.Meant(program, args));
using ControlClient control = new(RunFolder.Find(line.Value(Option.Run)).ControlSocket)
{
    Patience = TimeSpan.FromSeconds(1), // `udm daemon & udm ls`
    Waiting = text => error.WriteLine($"udm: {line.Verb}: {text}"),
};
VerbContext context = new(line, control)
{
    Out = output,
    Error = error,
    In = input,
    InputIsTerminal = !Console.IsInputRedirected,
    ErrorIsTerminal = !Console.IsErrorRedirected,
    AskTerminalWidth = Console.IsOutputRedirected ? null : static () => Console.WindowWidth,
};
return VerbRunner.Run(context);
