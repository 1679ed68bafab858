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
        ScriptedReplies<IFetchReply> replies = new();
        replies.Add(new ChallengeFrame(default));
        replies.End(new RpcException(new Status(StatusCode.PermissionDenied, "not in cluster.yaml")));
        using PeerChannel channel = _dialer.ChannelTo(new WitnessIndex(1));

        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => _dialer.OpenAsync(Call(new ScriptedRequests<IFetchRequest>(isReset: true), replies), channel));

        Assert.Equal((StatusCode.PermissionDenied, "not in cluster.yaml"), (refused.StatusCode, refused.Status.Detail));
    }

    [Fact]
    public async Task A_session_is_open_when_the_peer_says_so_and_not_before()
    {
        ScriptedRequests<IFetchRequest> requests = new(isReset: false);
        ScriptedReplies<IFetchReply> replies = new();
        replies.Add(new ChallengeFrame(Sha256.Hash([1])));
        using PeerChannel channel = _dialer.ChannelTo(new WitnessIndex(1));
        Task opening = _dialer.OpenAsync(Call(requests, replies), channel);

        Assert.Equal(_identity.Signer.PublicKey, Assert.IsType<HelloFrame>(await requests.Written.WaitAsync(LocalCluster.Patience)).Client);
        Assert.False(opening.IsCompleted);
        replies.Add(WelcomeFrame.Instance);
        await opening.WaitAsync(LocalCluster.Patience);
    }

    private static AsyncDuplexStreamingCall<IFetchRequest, IFetchReply> Call(ScriptedRequests<IFetchRequest> requests, ScriptedReplies<IFetchReply> replies) =>
        new(requests, replies, Task.FromResult<Metadata>([]), () => default, () => [], () => { });
}
