using System.Collections.Concurrent;

namespace Bft.Sim.SmallScope;

/// <summary>Ends chaos: everything in flight is lost, Byzantine witnesses fall silent, links work again, time passes. Then what is due must come about.</summary>
/// <remarks>
/// Validity: a correct publisher resends, and each batch ends up stored at every correct witness. Totality: the publisher is gone, and what
/// one correct witness has stored ends up stored at all. Each is asked from every state, so nothing may rest on a message that a crash took along.
/// </remarks>
internal sealed class Healing(Cluster cluster)
{
    private const int RoundsMax = 24;
    private readonly ConcurrentDictionary<(UInt128 State, int Goal), bool> _good = new();
    private long _healed;

    /// <summary>States that were healed.</summary>
    public long Count => Volatile.Read(ref _healed);

    /// <summary>What does not come about; null when all does.</summary>
    public string? WhyStuck(ReadOnlySpan<int> witnesses)
    {
        Interlocked.Increment(ref _healed);
        SmallWorld world = cluster.World;
        int highest = -1;
        foreach (int witness in witnesses)
        {
            int tip = cluster.States[witness].Tip;
            highest = tip >= 0 && (highest < 0 || world.SlotOf(tip) > world.SlotOf(highest)) ? tip : highest;
        }

        if (highest >= 0 && !Reaches(witnesses, highest, hasPublisher: false))
        {
            return $"Totality: {world.NameOf(highest)} is stored, and with the publisher gone not every witness gets it.";
        }

        int last = world.Options.Slots - 1;
        return world.Options.Publisher == SmallPublisher.Correct && !Reaches(witnesses, last, hasPublisher: true)
            ? $"Validity: {world.NameOf(last)} of a correct publisher is not stored everywhere in the end."
            : null;
    }

    private bool Reaches(ReadOnlySpan<int> witnesses, int goal, bool hasPublisher)
    {
        int key = hasPublisher ? goal : ~goal;
        int[] now = witnesses.ToArray();
        List<UInt128> way = [];
        for (int round = 0; round < RoundsMax; round++)
        {
            UInt128 packed = cluster.Pack(now);
            if (now.All(witness => IsAt(witness, goal)) || _good.ContainsKey((packed, key)))
            {
                way.ForEach(before => _good.TryAdd((before, key), true));
                return true;
            }

            way.Add(packed);
            Round(now, hasPublisher);
        }

        return cluster.States.IsFull;
    }

    private bool IsAt(int witness, int goal) =>
        cluster.States[witness].Tip is >= 0 and int tip && cluster.World.SlotOf(tip) >= cluster.World.SlotOf(goal) && cluster.World.AreOnOneChain(tip, goal);

    private void Round(int[] now, bool hasPublisher)
    {
        SmallInputs inputs = cluster.World.Inputs;
        Queue<(int To, int Input)> network = new();
        for (int i = 0; i < now.Length; i++)
        {
            Do(now, i, inputs.Wait, network);
            for (int peer = 1; peer < now.Length; peer++)
            {
                Do(now, i, inputs.FirstConnect + peer, network);
            }

            for (int batch = 0; hasPublisher && batch < cluster.World.Options.Slots; batch++)
            {
                Do(now, i, SmallInputs.Batch(batch), network);
            }

            Flush(now, i, network);
        }

        while (network.TryDequeue(out (int To, int Input) message))
        {
            Do(now, message.To, message.Input, network);
            Flush(now, message.To, network);
        }
    }

    private void Flush(int[] now, int self, Queue<(int To, int Input)> network)
    {
        while (Do(now, self, cluster.World.Inputs.Seal, network) | Do(now, self, cluster.World.Inputs.Durable, network))
        {
        }
    }

    private bool Do(int[] now, int self, int input, Queue<(int To, int Input)> network)
    {
        int next = cluster.States.Next(now[self], input);
        if (next < 0)
        {
            return false;
        }

        foreach (Sent sent in cluster.States.SentBy(now[self], input))
        {
            for (int peer = 1; peer < now.Length; peer++)
            {
                if (sent.Peer == -1 || sent.Peer == peer)
                {
                    Send(now, self, peer, sent, network);
                }
            }
        }

        now[self] = next;
        return true;
    }

    private void Send(int[] now, int self, int peer, Sent sent, Queue<(int To, int Input)> network)
    {
        int to = (self + peer) % now.Length;
        SmallInputs inputs = cluster.World.Inputs;
        switch (sent.Kind)
        {
            case SmallInput.Ack:
                network.Enqueue((to, inputs.Ack(now.Length - peer, sent.What)));
                break;
            case SmallInput.Certificate:
                network.Enqueue((to, inputs.Certificate(sent.What)));
                break;
            default:
                foreach (int claim in cluster.States[now[to]].Stored.Where(claim => cluster.World.SlotOf(cluster.World.Claims[claim].Batch) >= sent.What))
                {
                    network.Enqueue((self, inputs.Range(claim)));
                    foreach (int batch in cluster.World.BatchesOf(claim))
                    {
                        network.Enqueue((self, inputs.Covered(batch)));
                    }
                }

                break;
        }
    }
}
