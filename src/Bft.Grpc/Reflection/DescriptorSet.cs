using Google.Protobuf.Reflection;

namespace Bft.Reflection;

/// <summary>Registered files with all they depend on, found by name, by what they declare, and by the extensions they bring.</summary>
internal sealed class DescriptorSet
{
    private readonly Dictionary<string, FileDescriptor> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<string, FileDescriptor> _bySymbol = new(StringComparer.Ordinal);
    private readonly SortedDictionary<(string Type, int Number), FileDescriptor> _byExtension = [];
    private readonly SortedSet<string> _services = new(StringComparer.Ordinal);

    /// <param name="files">Their services are listed; those of files that they merely import are not.</param>
    public DescriptorSet(IEnumerable<FileDescriptor> files)
    {
        foreach (FileDescriptor file in files)
        {
            _services.UnionWith(file.Services.Select(static service => service.FullName));
            Add(file);
        }
    }

    public IReadOnlyCollection<string> Services => _services;

    public FileDescriptor? FileNamed(string name) => _byName.GetValueOrDefault(name);

    public FileDescriptor? FileDeclaring(string symbol) => _bySymbol.GetValueOrDefault(symbol.TrimStart('.'));

    public FileDescriptor? FileExtending(string type, int number) => _byExtension.GetValueOrDefault((type.TrimStart('.'), number));

    public bool HasMessage(string type) => FileDeclaring(type) is { } file && AllMessages(file.MessageTypes).Any(message => message.FullName == type);

    public IEnumerable<int> ExtensionsOf(string type) => _byExtension.Keys.Where(key => key.Type == type).Select(static key => key.Number);

    /// <summary>A file, then everything it imports, each once.</summary>
    public static IEnumerable<FileDescriptor> WithDependencies(FileDescriptor file)
    {
        HashSet<string> seen = new(StringComparer.Ordinal) { file.Name };
        Queue<FileDescriptor> pending = new([file]);
        while (pending.TryDequeue(out FileDescriptor? next))
        {
            yield return next;
            foreach (FileDescriptor dependency in next.Dependencies)
            {
                if (seen.Add(dependency.Name))
                {
                    pending.Enqueue(dependency);
                }
            }
        }
    }

    private void Add(FileDescriptor root)
    {
        foreach (FileDescriptor file in WithDependencies(root))
        {
            if (!_byName.TryAdd(file.Name, file))
            {
                continue;
            }

            foreach (string symbol in Symbols(file))
            {
                _bySymbol.TryAdd(symbol, file);
            }

            IEnumerable<FieldDescriptor> extensions = AllMessages(file.MessageTypes)
                .SelectMany(static message => message.Extensions.UnorderedExtensions)
                .Concat(file.Extensions.UnorderedExtensions);
            foreach (FieldDescriptor extension in extensions)
            {
                _byExtension.TryAdd((extension.ExtendeeType.FullName, extension.FieldNumber), file);
                _bySymbol.TryAdd(extension.FullName, file);
            }
        }
    }

    private static IEnumerable<string> Symbols(FileDescriptor file)
    {
        IEnumerable<MessageDescriptor> messages = AllMessages(file.MessageTypes).ToList();
        IEnumerable<EnumDescriptor> enums = file.EnumTypes.Concat(messages.SelectMany(static message => message.EnumTypes)).ToList();
        IEnumerable<DescriptorBase> declared =
        [
            .. messages,
            .. messages.SelectMany(static message => message.Fields.InDeclarationOrder()),
            .. messages.SelectMany(static message => message.Oneofs),
            .. enums,
            .. file.Services,
            .. file.Services.SelectMany(static service => service.Methods),
        ];

        // A value is a sibling of its enum, as in C++, whatever its descriptor calls itself here.
        IEnumerable<string> values = enums.SelectMany(static type => type.Values.Select(value => type.FullName[..^type.Name.Length] + value.Name));
        return declared.Select(static symbol => symbol.FullName).Concat(values);
    }

    private static IEnumerable<MessageDescriptor> AllMessages(IEnumerable<MessageDescriptor> messages) =>
        messages.SelectMany(static message => AllMessages(message.NestedTypes).Prepend(message));
}
