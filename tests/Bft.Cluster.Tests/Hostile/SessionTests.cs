using System.Security.Cryptography;
using Bft.Cluster.Tests.Support;
using Bft.Crypto;
using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Cluster.Tests.Hostile;

/// <summary>What can be sent in place of a hello.</summary>
[Collection(SharedClusterTests.Name)]
public sealed class SessionTests(SharedCluster shared)
{
    private ProcessCluster Cluster => shared.Cluster;

    [Fact]
    public Task Without_a_hello_the_call_ends_in_ten_seconds() =>
        AttackAsync(StatusCode.Unauthenticated, "No hello came within 10 s.", (_, _, _) => Task.CompletedTask);

    [Fact]
    public Task A_frame_before_the_hello_ends_the_call() =>
        AttackAsync(StatusCode.Unauthenticated, "The first message of a call is a hello.", (call, _, _) => call.WriteAsync(new InquiryFrame(ProcessCluster.NewTopic())));

    [Fact]
    public Task A_wrong_signature_is_unauthenticated() =>
        AttackAsync(StatusCode.Unauthenticated, "does not sign", async (call, _, _) =>
        {
            using Ed25519Signer signer = Cluster.SignerOf("publisher");
            await call.WriteAsync(new HelloFrame(signer.PublicKey, new Signature(RandomNumberGenerator.GetBytes(Signature.Length))));
        });

    [Fact]
    public Task A_key_that_cluster_yaml_does_not_name_is_denied() =>
        AttackAsync(StatusCode.PermissionDenied, "is no client's", async (call, client, nonce) =>
        {
            using Ed25519Signer stranger = new(RandomNumberGenerator.GetBytes(Ed25519Signer.SeedLength));
            await call.WriteAsync(new HelloFrame(stranger.PublicKey, client.Hello(stranger.PublicKey, nonce).Sign(stranger)));
        });

    [Fact]
    public Task A_hello_of_another_connection_is_worth_nothing() =>
        AttackAsync(StatusCode.Unauthenticated, "does not sign", async (call, _, _) =>
        {
            using Ed25519Signer signer = Cluster.SignerOf("publisher");
            using RawClient victim = new(Cluster, 0);
            using RawCall<IPublishRequest, IPublishReply> opened = new(victim.Witness.Publish(new CallOptions()));
            ChallengeFrame challenge = await opened.NextAsync<ChallengeFrame>();
            HelloFrame hello = new(signer.PublicKey, victim.Hello(signer.PublicKey, challenge.Nonce).Sign(signer));
            await opened.WriteAsync(hello);
            await opened.NextAsync<WelcomeFrame>();
            await call.WriteAsync(hello);
        });

    [Fact]
    public Task A_hello_for_another_witness_is_worth_nothing() =>
        AttackAsync(StatusCode.Unauthenticated, "does not sign", async (call, _, nonce) =>
        {
            // What a lying witness could pass on, had its client signed for it.
            using Ed25519Signer signer = Cluster.SignerOf("publisher");
            using RawClient other = new(Cluster, 1);
            await call.WriteAsync(new HelloFrame(signer.PublicKey, other.Hello(signer.PublicKey, nonce).Sign(signer)));
        });

    private async Task AttackAsync(StatusCode code, string words, Func<RawCall<IPublishRequest, IPublishReply>, RawClient, Digest, Task> attack)
    {
        MemoryWatch memory = new(Cluster[0]);
        using RawClient client = new(Cluster, 0);
        using RawCall<IPublishRequest, IPublishReply> call = new(client.Witness.Publish(new CallOptions()));
        ChallengeFrame challenge = await call.NextAsync<ChallengeFrame>();
        await attack(call, client, challenge.Nonce);
        Status status = await call.FailureAsync();
        Assert.Equal(code, status.StatusCode);
        Assert.Contains(words, status.Detail, StringComparison.Ordinal);
        memory.AssertBounded(grownMax: 32);
        await Cluster.AssertServesAsync(0);
    }
}
