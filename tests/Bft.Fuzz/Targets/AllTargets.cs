namespace Bft.Fuzz.Targets;

/// <summary>Every target, by name.</summary>
internal static class AllTargets
{
    private static readonly (string Name, Func<Target> Create)[] Known =
    [
        ("frame", () => new FrameTarget()),
        ("statement", () => new StatementTarget()),
        ("batch", () => new BatchTarget()),
        ("acks", () => new AcksTarget()),
        ("certificate", () => new CertificateTarget()),
        ("evidence", () => new EvidenceTarget()),
        ("receipt", () => new ReceiptTarget()),
        ("receipt-file", () => new ReceiptFileTarget()),
        ("body", () => new BodyTarget()),
        ("cursor", () => new CursorTarget()),
        ("witness-record", () => new RecordTarget()),
        ("journal", () => new BlocksTarget()),
        ("witness-journal", () => new WitnessJournalTarget()),
        ("publisher-journal", () => new PublisherJournalTarget()),
        ("cursor-journal", () => new CursorJournalTarget()),
        ("key-file", () => new KeyFileTarget()),
        ("cluster-yaml", () => new ClusterFileTarget()),
        ("grpc-message", () => new GrpcMessageTarget()),
        ("grpc-header", () => new GrpcHeaderTarget()),
        ("http2", () => new Http2Target()),
        ("session", () => new SessionTarget()),
    ];

    /// <summary>Those with a real witness: the others take no time to begin.</summary>
    public static IReadOnlyList<string> OverNetwork { get; } = ["http2", "session"];

    public static IEnumerable<string> Names => Known.Select(target => target.Name);

    public static Target? Create(string name) => Known.FirstOrDefault(target => target.Name == name).Create?.Invoke();
}
