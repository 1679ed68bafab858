using System.Threading.Channels;
using Bft.Crypto;
using Bft.Node.Tests.Support;
using Bft.Protocol.Membership;
using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Node.Tests.Egress;

public sealed class PeerDialerTests : IAsyncDisposable
{
    private readonly LocalCluster _cluster = new();
    private readonly NodeIdentity _identity;
    private readonly PeerDialer _dialer;

    public PeerDialerTests()
    {
        _identity = NodeIdentity.Load(_cluster.OptionsOf(0));
        _dialer = new PeerDialer(_identity, EdgeLimits.Default, new NodeLog(TextWriter.Null, _identity.Index));
    }

    public async ValueTask DisposeAsync()
    {
        _identity.Dispose();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task Why_a_hello_is_refused_is_told_though_the_request_was_reset_before_its_write_was_over()
    {
        Replies replies = new(new ChallengeFrame(default));
        replies.End(new RpcException(new Status(StatusCode.PermissionDenied, "not in cluster.yaml")));
        using PeerChannel channel = _dialer.ChannelTo(new WitnessIndex(1));

        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => _dialer.OpenAsync(Call(new Requests(isReset: true), replies), channel));

        Assert.Equal((StatusCode.PermissionDenied, "not in cluster.yaml"), (refused.StatusCode, refused.Status.Detail));
    }

    [Fact]
    public async Task A_session_is_open_when_the_peer_says_so_and_not_before()
    {
        Requests requests = new(isReset: false);
        Replies replies = new(new ChallengeFrame(Sha256.Hash([1])));
        using PeerChannel channel = _dialer.ChannelTo(new WitnessIndex(1));
        Task opening = _dialer.OpenAsync(Call(requests, replies), channel);

        Assert.Equal(_identity.Signer.PublicKey, Assert.IsType<HelloFrame>(await requests.Written.WaitAsync(LocalCluster.Patience)).Client);
        Assert.False(opening.IsCompleted);
        replies.Add(WelcomeFrame.Instance);
        await opening.WaitAsync(LocalCluster.Patience);
    }

    private static AsyncDuplexStreamingCall<IFetchRequest, IFetchReply> Call(Requests requests, Replies replies) =>
        new(requests, replies, Task.FromResult<Metadata>([]), () => default, () => [], () => { });

    /// <summary>What a peer reads; or it resets the call instead.</summary>
    private sealed class Requests(bool isReset) : IClientStreamWriter<IFetchRequest>
    {
        private readonly TaskCompletionSource<IFetchRequest> _written = new();

        public Task<IFetchRequest> Written => _written.Task;

        public WriteOptions? WriteOptions { get; set; }

        public Task WriteAsync(IFetchRequest message)
        {
            _written.TrySetResult(message);
            return isReset ? Task.FromException(new RpcException(new Status(StatusCode.Unavailable, "the connection was lost"))) : Task.CompletedTask;
        }

        public Task WriteAsync(IFetchRequest message, CancellationToken cancellationToken) => WriteAsync(message);

        public Task CompleteAsync() => Task.CompletedTask;
    }

    private sealed class Replies : IAsyncStreamReader<IFetchReply>
    {
        private readonly Channel<IFetchReply> _frames = Channel.CreateUnbounded<IFetchReply>();

        public Replies(IFetchReply first) => Add(first);

        public IFetchReply Current { get; private set; } = null!;

        public void Add(IFetchReply frame) => _frames.Writer.TryWrite(frame);

        public void End(RpcException why) => _frames.Writer.Complete(why);

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            bool any = await _frames.Reader.WaitToReadAsync(cancellationToken);
            Current = any && _frames.Reader.TryRead(out IFetchReply? next) ? next : Current;
            return any;
        }
    }
}
