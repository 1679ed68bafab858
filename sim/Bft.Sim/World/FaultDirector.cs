namespace Bft.Sim;

/// <summary>Brings the plan's faults to parties: crashes, pauses, clocks, partitions, disks. What would count against f asks the budget first.</summary>
internal sealed class FaultDirector(SimulatedCluster cluster)
{
    private const long Millisecond = 1_000_000;
    private const int WorldEntity = 62;
    private const int JournalEntity = 64; // and a publisher's own
    private const int RotEntity = 128; // and a witness's own
    private const int BothWays = 0;
    private const int HearsNothing = 1;
    private const int IsNotHeard = 2;
    private const int NotCut = 3;

    private readonly SortedDictionary<int, SimulatedDisk> _earlier = [];
    private readonly SortedSet<int> _corrupted = [];
    private int? _rotting; // the one witness whose store rots: what it lacks the others have
    private bool _isHealed;

    private Choices Choices => cluster.Simulation.Choices;

    private RunPlan Plan => cluster.Plan;

    /// <summary>Before each tick of a party.</summary>
    public void OnTick(Party party)
    {
        if (_isHealed)
        {
            return;
        }

        if (party.Id == 0 && Choices.Fault(ChoiceStream.Crash, WorldEntity, Plan.CrashAllPpm, out Lot all))
        {
            Choices.Record(all.Id, "crash all");
            foreach (Party one in cluster.All)
            {
                Crash(one, ref all, "crash (all)");
            }

            return;
        }

        if (Choices.Fault(ChoiceStream.Clock, party.Id, Plan.ClockJumpPpm, out Lot jump))
        {
            Choices.Record(jump.Id, $"clock of {party.Name} jumps");
            party.ClockOffset += jump.Below(2) == 0 ? jump.Between(-3_600_000, 3_600_000) : jump.Between(-2_000, 2_000);
            cluster.Simulation.Note(TraceKind.Clock, party.Id, $"clock {party.ClockOffset:+0;-0} ms");
        }

        if (Choices.Fault(ChoiceStream.Clock, party.Id, Plan.PausePpm, out Lot pause))
        {
            Choices.Record(pause.Id, $"pause {party.Name}");
            party.PausedUntil = cluster.Simulation.Now + (pause.Between(100, 5_000) * Millisecond);
            cluster.Simulation.Note(TraceKind.Clock, party.Id, "paused");
        }

        if (party is WitnessParty witness && Choices.Fault(ChoiceStream.Checkpoint, party.Id, Plan.CheckpointPpm, out Lot checkpoint))
        {
            Choices.Record(checkpoint.Id, $"checkpoint of {party.Name}");
            witness.WantCheckpoint();
        }

        if (Plan.StoreRotPpm > 0 && party is WitnessParty { IsByzantine: false } store && (_rotting ?? party.Id) == party.Id
            && Choices.Fault(ChoiceStream.Disk, RotEntity + party.Id, Plan.StoreRotPpm, out Lot rot) && store.Rot(ref rot))
        {
            _rotting = party.Id;
            Choices.Record(rot.Id, $"what {party.Name} stores rots");
            cluster.Simulation.Note(TraceKind.DiskFault, party.Id, "a stored record rots");
        }

        if (Choices.Fault(ChoiceStream.Partition, party.Id, Plan.PartitionPpm, out Lot cut))
        {
            CutOff(party, ref cut);
        }

        if (party is PublisherParty && Choices.Fault(ChoiceStream.Crash, JournalEntity + party.Id, Plan.PublisherCrashPpm, out Lot end))
        {
            Choices.Record(end.Id, $"crash {party.Name}");
            Crash(party, ref end, "crash");
        }

        if (Choices.Fault(ChoiceStream.Crash, party.Id, Plan.CrashPpm, out Lot crash))
        {
            Choices.Record(crash.Id, $"crash {party.Name}");
            Crash(party, ref crash, "crash");
        }
    }

    /// <summary>Before a commit is performed: how long it takes, and what goes wrong with it.</summary>
    /// <param name="party">Whose.</param>
    /// <param name="sendsLeft">The party dies when it has sent so many messages that the commit allows.</param>
    /// <returns>Unit: nanoseconds.</returns>
    public long OnCommit(Party party, out int sendsLeft)
    {
        sendsLeft = int.MaxValue;
        Lot lot = Choices.Next(ChoiceStream.Disk, party.Id);
        long delay = lot.Between(1, Math.Max(1, Plan.DiskMicroseconds)) * 1_000;
        if (_isHealed || Choices.IsRemoved(lot.Id))
        {
            return delay;
        }

        if (lot.Chance(Plan.CrashAtCommitPpm))
        {
            int at = lot.Below(8);
            Choices.Record(lot.Id, $"crash {party.Name} at {(at < 4 ? $"disk operation {at}" : $"message {at - 4}")} of a commit");
            if (at < 4)
            {
                party.Disk.PowerCutAt = party.Disk.Operations + at;
            }
            else
            {
                sendsLeft = at - 4;
            }
        }
        else if (lot.Chance(Plan.DiskFailPpm))
        {
            Choices.Record(lot.Id, $"disk of {party.Name} refuses");
            cluster.Simulation.Note(TraceKind.DiskFault, party.Id, "EIO");
            party.Disk.FailAt = party.Disk.Operations + lot.Below(2);
        }
        else if (lot.Chance(Plan.DiskFullPpm))
        {
            Choices.Record(lot.Id, $"disk of {party.Name} is full");
            cluster.Simulation.Note(TraceKind.DiskFault, party.Id, "full");
            party.Disk.CapacityBytes = party.Disk.Bytes;
            cluster.Simulation.After(lot.Between(100, 3_000) * Millisecond, () => party.Disk.CapacityBytes = long.MaxValue);
        }

        return delay;
    }

    /// <summary>A scenario's crash.</summary>
    /// <param name="party">Who; nothing happens when it is down.</param>
    /// <param name="isPowerCut">What was not flushed is lost, kept or torn by lot.</param>
    /// <param name="downMilliseconds">It starts again then; negative: never.</param>
    /// <param name="whileDown">What happens to it meanwhile.</param>
    public void Crash(Party party, bool isPowerCut, int downMilliseconds, Action? whileDown = null)
    {
        if (party.IsUp && !_isHealed)
        {
            Lot lot = Choices.Next(ChoiceStream.Crash, party.Id);
            party.Crash(isPowerCut, ref lot, "crash");
            whileDown?.Invoke();
            if (downMilliseconds >= 0)
            {
                cluster.Simulation.After(downMilliseconds * Millisecond, party.Start);
            }
        }
    }

    /// <summary>A fault point in product code was reached.</summary>
    public void OnPowerCut(Party party)
    {
        Lot lot = Choices.Next(ChoiceStream.Crash, party.Id);
        Crash(party, ref lot, "power cut", isPowerCut: true);
    }

    /// <summary>The disk refused; the process exits, as it should, and is started again.</summary>
    public void OnStopped(Party party, string why)
    {
        Lot lot = Choices.Next(ChoiceStream.Crash, party.Id);
        Crash(party, ref lot, $"stops: {why}", isPowerCut: false);
    }

    /// <summary>What was durable reads back wrong: an operator's case. It is a finding unless a fault of the plan did it.</summary>
    public void OnDamaged(Party party, string why)
    {
        if (!_corrupted.Contains(party.Id))
        {
            cluster.OnThrown(party, new InvalidOperationException($"The journal was damaged by nothing but crashes: {why}"));
            return;
        }

        cluster.Excuse($"{(party is WitnessParty ? "witness" : "client")} stopped by damage");
        Lot lot = Choices.Next(ChoiceStream.Crash, party.Id);
        party.IsGone = true;
        party.Crash(isPowerCut: false, ref lot, $"damaged: {why}");
    }

    /// <summary>The chaos ends, but for those who stay outside: they are cut off for ever, in both directions or in one.</summary>
    public void Heal(Predicate<Party> isOutside)
    {
        _isHealed = true;
        int[] ways = [.. cluster.All.Select(party => isOutside(party) ? Choices.Next(ChoiceStream.Partition, party.Id).Below(3) : NotCut)];
        foreach (Party one in cluster.All)
        {
            one.PausedUntil = 0;
            one.Disk.CapacityBytes = long.MaxValue;
            one.Disk.FailAt = int.MaxValue;
            one.Disk.PowerCutAt = int.MaxValue;
            foreach (Party other in cluster.All)
            {
                if (ways[one.Id] is BothWays or IsNotHeard || ways[other.Id] is BothWays or HearsNothing)
                {
                    cluster.Network.Cut(one.Id, other.Id, long.MaxValue);
                }
                else
                {
                    cluster.Network.Mend(one.Id, other.Id);
                }
            }

            if (!isOutside(one))
            {
                one.Start();
            }
        }
    }

    private void Crash(Party party, ref Lot lot, string why, bool? isPowerCut = null)
    {
        if (!party.IsUp)
        {
            return;
        }

        party.Crash(isPowerCut ?? lot.Chance(Plan.PowerCutPpm), ref lot, why);
        if (lot.Chance(Plan.GoneForEverPpm) && party is WitnessParty && TrySpend(party, "gone for ever"))
        {
            party.IsGone = true;
            return;
        }

        Damage(party, ref lot);
        LoseJournal(party);
        long down = lot.Between(1, Math.Max(1, Plan.DownMilliseconds)) * Millisecond;
        cluster.Simulation.After(down, () =>
        {
            if ((Plan.RollBackPpm > 0 || (Plan.PublisherRollBackPpm > 0 && party is PublisherParty)) && !_earlier.ContainsKey(party.Id))
            {
                _earlier[party.Id] = party.Disk.Clone();
            }

            party.Start();
        });
    }

    /// <summary>Between two lives a disk may lose what it held; only within the budget.</summary>
    private void Damage(Party party, ref Lot lot)
    {
        if (party is not WitnessParty witness)
        {
            return;
        }

        if (lot.Chance(Plan.WipePpm) && TrySpend(party, "disk wiped"))
        {
            witness.IsDiskLost = true;
            party.Disk = new SimulatedDisk();
        }
        else if (_earlier.TryGetValue(party.Id, out SimulatedDisk? earlier) && lot.Chance(Plan.RollBackPpm) && TrySpend(party, "disk rolled back"))
        {
            witness.IsDiskLost = true;
            party.Disk = earlier.Clone();
        }
        else if (lot.Chance(Plan.BitRotPpm) && TrySpend(party, "bit rot"))
        {
            witness.Damages++;
            party.Disk.FlipBit(ref lot);
        }
        else if (lot.Chance(Plan.MisdirectedPpm) && TrySpend(party, "misdirected write"))
        {
            witness.Damages++;
            party.Disk.Misdirect(ref lot);
        }
    }

    /// <summary>P7: a publisher starts with an empty disk, or with an old one. There may be any number of such.</summary>
    private void LoseJournal(Party party)
    {
        if (party is not PublisherParty publisher || party.IsByzantine)
        {
            return;
        }

        if (Choices.Fault(ChoiceStream.Disk, JournalEntity + party.Id, Plan.PublisherWipePpm, out Lot wipe))
        {
            Choices.Record(wipe.Id, $"journal of {party.Name} is lost");
            publisher.LoseJournal(null);

            // Another machine, perhaps, with another clock: incarnations rise all the same.
            party.ClockOffset -= wipe.Below(2) == 0 ? wipe.Between(0, 3_600_000) : 0;
        }
        else if (Choices.Fault(ChoiceStream.Disk, JournalEntity + party.Id, Plan.PublisherRollBackPpm, out Lot rollBack) && _earlier.TryGetValue(party.Id, out SimulatedDisk? earlier))
        {
            Choices.Record(rollBack.Id, $"journal of {party.Name} is an old one");
            publisher.LoseJournal(earlier);
        }
    }

    /// <summary>From now on a witness counts against f for what its disk did; false when the budget is spent.</summary>
    public bool TrySpend(Party party, string why)
    {
        if (cluster.IsCorrect(party.Id) && cluster.FaultyCount >= Plan.FaultyMax)
        {
            return false;
        }

        cluster.MarkFaulty(party);
        _corrupted.Add(party.Id);
        cluster.Excuse(why);
        cluster.Simulation.Note(TraceKind.DiskFault, party.Id, why);
        return true;
    }

    private void CutOff(Party party, ref Lot lot)
    {
        long until = cluster.Simulation.Now + (lot.Between(50, 4_000) * Millisecond);
        int direction = lot.Below(3);
        int some = 1 + lot.Below(99);
        Choices.Record(lot.Id, $"cut {party.Name} off");
        cluster.Simulation.Note(TraceKind.Partition, party.Id, direction switch { BothWays => "cut off", HearsNothing => "hears nothing", _ => "is not heard" });
        foreach (Party other in cluster.All)
        {
            if (other != party && lot.Below(100) < some)
            {
                if (direction != HearsNothing)
                {
                    cluster.Network.Cut(party.Id, other.Id, until);
                }

                if (direction != IsNotHeard)
                {
                    cluster.Network.Cut(other.Id, party.Id, until);
                }
            }
        }
    }
}
