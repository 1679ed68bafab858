using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Node.Tests.Support;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Client.Tests.Connections;

public sealed class SessionTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly Digest Pin = Sha256.Hash([9]);

    private readonly TestCluster _cluster = new();
    private readonly Ed25519Signer _identity = TestCluster.SignerOf('r', 0);
    private readonly ScriptedReplies<IPublishReply> _replies = new();

    public void Dispose()
    {
        _identity.Dispose();
        _cluster.Dispose();
    }

    [Fact]
    public async Task Why_a_hello_is_refused_is_told_though_the_request_was_reset_before_its_write_was_over()
    {
        _replies.Add(new ChallengeFrame(default));
        _replies.End(new RpcException(new Status(StatusCode.PermissionDenied, "not in cluster.yaml")));

        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => OpenAsync(new ScriptedRequests<IPublishRequest>(isReset: true), Patience));

        Assert.Equal((StatusCode.PermissionDenied, "not in cluster.yaml"), (refused.StatusCode, refused.Status.Detail));
    }

    [Fact]
    public async Task A_hello_signs_what_the_client_saw_and_the_session_is_open_when_the_witness_says_so()
    {
        ScriptedRequests<IPublishRequest> requests = new(isReset: false);
        Digest nonce = Sha256.Hash([1]);
        _replies.Add(new ChallengeFrame(nonce));
        Task opening = OpenAsync(requests, Patience);

        HelloFrame hello = Assert.IsType<HelloFrame>(await requests.Written.WaitAsync(Patience));
        Assert.True(new HelloStatement(_cluster.Committee.Cluster, hello.Client, new WitnessIndex(2), Pin, nonce).IsSigned(hello.Signature, Ed25519.Instance));
        Assert.Equal(_identity.PublicKey, hello.Client);
        Assert.False(opening.IsCompleted);
        _replies.Add(WelcomeFrame.Instance);
        await opening.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_witness_that_is_silent_or_keeps_to_no_session_is_left()
    {
        await Assert.ThrowsAsync<SessionEndedException>(() => OpenAsync(new ScriptedRequests<IPublishRequest>(isReset: false), TimeSpan.FromMilliseconds(50)));

        _replies.Add(WelcomeFrame.Instance);
        SessionEndedException ended = await Assert.ThrowsAsync<SessionEndedException>(() => OpenAsync(new ScriptedRequests<IPublishRequest>(isReset: false), Patience));
        Assert.Contains(nameof(ChallengeFrame), ended.Message, StringComparison.Ordinal);
    }

    private async Task OpenAsync(ScriptedRequests<IPublishRequest> requests, TimeSpan timeout)
    {
        WitnessEntry witness = new(new WitnessIndex(2), new Uri("https://127.0.0.1:1"), _cluster.Committee.Keys[2], Pin);
        using Route route = new(witness, _cluster.Committee.Limits, timeout, _ => { });
        AsyncDuplexStreamingCall<IPublishRequest, IPublishReply> call = new(requests, _replies, Task.FromResult<Metadata>([]), () => default, () => [], () => { });
        await new Session(_cluster.Committee.Cluster, _identity).OpenAsync(call, route, CancellationToken.None).WaitAsync(Patience);
    }
}
