using System.Buffers.Binary;
using System.Text;
using DeviceMapper.Nbd.Protocol;

namespace DeviceMapper.Nbd.Server.Options;

/// <summary>NBD_OPT_LIST_META_CONTEXT and NBD_OPT_SET_META_CONTEXT: what block status can tell, and what it is to tell.</summary>
internal static class MetaContextOption
{
    private static readonly (MetaContexts Context, string Name)[] Known =
    [
        (MetaContexts.Allocation, "base:allocation"),
        (MetaContexts.Targets, "dm:targets"),
    ];

    public static void Handle(Handshake session, NbdOption option, ReadOnlySpan<byte> data)
    {
        bool sets = option == NbdOption.SetMetaContext;
        if (sets)
        {
            session.ContextsOf = null;
        }

        if (!TryRead(data, sets, out string name, out MetaContexts wanted))
        {
            session.Refuse(option, NbdOptionReply.ErrorInvalid, "a name and a list of queries are expected");
            return;
        }

        if (sets && !session.StructuredReplies)
        {
            session.Refuse(option, NbdOptionReply.ErrorInvalid, "structured replies are needed first");
            return;
        }

        if (session.Exports.Find(name) is null)
        {
            session.Refuse(option, NbdOptionReply.ErrorUnknown, "there is no such export");
            return;
        }

        foreach ((MetaContexts context, string contextName) in Known)
        {
            if ((wanted & context) != 0)
            {
                byte[] answer = new byte[sizeof(uint) + contextName.Length];
                BinaryPrimitives.WriteUInt32BigEndian(answer, sets ? (uint)context : 0);
                Encoding.ASCII.GetBytes(contextName, answer.AsSpan(sizeof(uint)));
                session.Reply(option, NbdOptionReply.MetaContext, answer);
            }
        }

        if (sets)
        {
            session.Contexts = wanted;
            session.ContextsOf = name;
        }

        session.Reply(option, NbdOptionReply.Acknowledge);
    }

    /// <summary>Reads the export's name and the queries; a list without queries, or with just a namespace, asks for all.</summary>
    private static bool TryRead(ReadOnlySpan<byte> data, bool sets, out string name, out MetaContexts wanted)
    {
        OptionReader reader = new(data);
        wanted = MetaContexts.None;
        if (!reader.TryReadString(out name) || !reader.TryReadUInt32(out uint queries))
        {
            return false;
        }

        if (queries == 0 && !sets)
        {
            wanted = MetaContexts.Allocation | MetaContexts.Targets;
        }

        for (; queries > 0; queries--)
        {
            if (!reader.TryReadString(out string query))
            {
                return false;
            }

            foreach ((MetaContexts context, string contextName) in Known)
            {
                bool isNamespace = !sets && query.EndsWith(':') && contextName.StartsWith(query, StringComparison.Ordinal);
                wanted |= query == contextName || isNamespace ? context : MetaContexts.None;
            }
        }

        return reader.IsAtEnd;
    }
}
