namespace Udm.Run;

/// <summary>The system calls that are answered, with their numbers on x86-64; each has its page in section 2 of the manual.</summary>
internal enum SystemCall
{
    Open = 2,
    Stat = 4,
    FStat = 5,
    LStat = 6,
    IoCtl = 16,
    Access = 21,
    Rename = 82,
    Unlink = 87,
    Symlink = 88,
    ReadLink = 89,
    ChMod = 90,
    ChOwn = 92,
    LChOwn = 94,
    MkNod = 133,
    OpenAt = 257,
    MkNodAt = 259,
    FChOwnAt = 260,
    NewFStatAt = 262,
    UnlinkAt = 263,
    RenameAt = 264,
    SymlinkAt = 266,
    ReadLinkAt = 267,
    FChModAt = 268,
    FAccessAt = 269,
    RenameAt2 = 316,
    StatX = 332,
    OpenAt2 = 437,
    FAccessAt2 = 439,
}
