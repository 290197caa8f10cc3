namespace Udm.Verbs;

/// <summary>What the command line itself refuses, before or without the daemon: its sentence stands on standard error without an errno.</summary>
internal sealed class VerbException(string sentence) : Exception(sentence);

/// <summary>Wrong usage: the sentence, and how to get help, stand on standard error.</summary>
internal sealed class UsageException(string sentence) : Exception(sentence);
