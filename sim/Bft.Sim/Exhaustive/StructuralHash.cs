using System.Collections.Concurrent;
using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Sim.SmallScope;

/// <summary>128 bits over everything that a product object's private fields reach: equal bits, equal behaviour.</summary>
/// <remarks>
/// Objects are numbered in the order of the walk, so that sharing and cycles count too; hash tables are walked in the order of their keys'
/// hashes. A type that this file does not know is an error, never skipped: a new field cannot merge states by being overlooked.
/// Left out on purpose: configuration, which never changes, and <see cref="Protocol.Model.Run"/> and <see cref="Mark"/>, see <see cref="SmallWorld"/>.
/// </remarks>
internal sealed class StructuralHash
{
    private static readonly Type[] Constants =
        [typeof(Protocol.Model.Run), typeof(Mark), typeof(Committee), typeof(NodeLimits), typeof(ClusterLimits), typeof(ISigner), typeof(CommitteeSize), typeof(StreamHeader)];

    private static readonly ConcurrentDictionary<Type, Action<StructuralHash, object>> Classes = new();

    private readonly Dictionary<object, int> _seen = new(ReferenceEqualityComparer.Instance);
    private ulong _low = 0x243F6A8885A308D3;
    private ulong _high = 0x13198A2E03707344;

    public UInt128 Value => new(_high ^ (_low >> 31), _low ^ (_high << 7));

    public void Add(ulong value)
    {
        unchecked
        {
            ulong high = Math.BigMul(_low ^ value, 0x9FB21C651E98DF25, out ulong low);
            _low = low ^ ulong.RotateLeft(_high, 23) ^ value;
            _high = (high + _high + value) * 0xD6E8FEB86659FD93;
            _high ^= _high >> 32;
        }
    }

    public void Walk<T>(T value)
    {
        if (typeof(T).IsValueType)
        {
            ForValue<T>.Walk(this, value);
        }
        else if (value is null)
        {
            Add(0);
        }
        else
        {
            Classes.GetOrAdd(value.GetType(), ForClass)(this, value);
        }
    }

    private static bool IsConstant(Type type) => Array.Exists(Constants, constant => constant.IsAssignableFrom(type));

    private static Action<StructuralHash, object> ForClass(Type type)
    {
        if (IsConstant(type))
        {
            return (hash, _) => hash.Add(3);
        }

        if (type == typeof(string))
        {
            return (hash, value) => hash.Add(FastHash.Of(MemoryMarshal.AsBytes(((string)value).AsSpan())));
        }

        if (LeafFor(type) is { } leaf)
        {
            return leaf;
        }

        Action<StructuralHash, object> walk = type.GetInterfaces().FirstOrDefault(face => face.IsGenericType && face.GetGenericTypeDefinition() == typeof(IEnumerable<>)) is { } items
            ? ForItems(items.GetGenericArguments()[0], type)
            : ForFields<object>(type);
        ulong tag = FastHash.Of(MemoryMarshal.AsBytes(type.Name.AsSpan()));
        return (hash, value) =>
        {
            if (hash._seen.TryGetValue(value, out int number))
            {
                hash.Add(0x5EE0000000000000UL | (uint)number);
                return;
            }

            hash._seen.Add(value, hash._seen.Count);
            hash.Add(tag);
            walk(hash, value);
        };
    }

    /// <summary>What never changes and is told apart by a few of its numbers.</summary>
    private static Action<StructuralHash, object>? LeafFor(Type type) =>
        type == typeof(VerifiedStatement) ? (hash, value) => hash.AddStatement((VerifiedStatement)value)
        : type == typeof(VerifiedBatch) ? (hash, value) => hash.AddStatement(((VerifiedBatch)value).Statement)
        : type == typeof(VerifiedAck) ? (hash, value) => hash.AddClaim(((VerifiedAck)value).Batch, ((VerifiedAck)value).Base, ((VerifiedAck)value).Witness.Value)
        : type == typeof(VerifiedCertificate) ? (hash, value) => hash.AddClaim(((VerifiedCertificate)value).Batch, ((VerifiedCertificate)value).Base, ((VerifiedCertificate)value).WitnessCount)
        : type == typeof(VerifiedEvidence) ? (hash, value) => hash.Add(((VerifiedEvidence)value).Witness is { } witness ? (ulong)witness.Value + 10 : 9)
        : null;

    private static Action<StructuralHash, object> ForItems(Type item, Type type)
    {
        bool isUnordered = type.IsGenericType && (type.GetGenericTypeDefinition() == typeof(Dictionary<,>) || type.GetGenericTypeDefinition() == typeof(HashSet<>));
        MethodInfo walk = typeof(StructuralHash).GetMethod(isUnordered ? nameof(WalkUnordered) : nameof(WalkItems), BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(item);
        return walk.CreateDelegate<Action<StructuralHash, object>>();
    }

    private static void WalkItems<T>(StructuralHash hash, object items)
    {
        ulong count = 7;
        foreach (T item in (IEnumerable<T>)items)
        {
            hash.Walk(item);
            count++;
        }

        hash.Add(count);
    }

    /// <summary>Keys are values, so that their hash depends on nothing around them.</summary>
    private static void WalkUnordered<T>(StructuralHash hash, object items)
    {
        PropertyInfo? key = typeof(T).Name == "KeyValuePair`2" ? typeof(T).GetProperty("Key") : null;
        WalkItems<T>(hash, ((IEnumerable<T>)items).OrderBy(item =>
        {
            StructuralHash own = new();
            own.Walk(key is null ? item : key.GetValue(item));
            return own.Value;
        }).ToArray());
    }

    /// <summary>Reads all fields of a type, base types' too, without boxing.</summary>
    private static Action<StructuralHash, T> ForFields<T>(Type type)
    {
        if (type.Namespace?.StartsWith("Bft.", StringComparison.Ordinal) != true && !typeof(ITuple).IsAssignableFrom(type) && type.Name != "KeyValuePair`2")
        {
            throw new NotSupportedException($"How to compare {type} is not known: say it in {nameof(StructuralHash)}.");
        }

        ParameterExpression hash = Expression.Parameter(typeof(StructuralHash));
        ParameterExpression value = Expression.Parameter(typeof(T));
        List<Expression> steps = [Expression.Empty()];
        for (Type? level = type; level is not null && level != typeof(object) && level != typeof(ValueType); level = level.BaseType)
        {
            foreach (FieldInfo field in level.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            {
                steps.Add(Expression.Call(hash, nameof(Walk), [field.FieldType], Expression.Field(Expression.Convert(value, level), field)));
            }
        }

        return Expression.Lambda<Action<StructuralHash, T>>(Expression.Block(steps), hash, value).Compile();
    }

    private void AddStatement(VerifiedStatement statement)
    {
        AddDigest(statement.Digest);
        Add(statement.IsSigned ? 5ul : 4ul);
    }

    private void AddClaim(BatchRef batch, Sequence from, int number)
    {
        AddDigest(batch.Digest);
        Add(((ulong)number << 32) | from.Value);
    }

    private void AddDigest(in Digest digest)
    {
        Span<byte> bytes = stackalloc byte[Digest.Length];
        digest.CopyTo(bytes);
        Add(MemoryMarshal.Read<ulong>(bytes));
        Add(MemoryMarshal.Read<ulong>(bytes[8..]));
    }

    /// <summary>How a value type is walked, found once.</summary>
    private static class ForValue<T>
    {
        public static readonly Action<StructuralHash, T> Walk = Find();

        private static Action<StructuralHash, T> Find()
        {
            Type type = typeof(T);
            if (IsConstant(type))
            {
                return (hash, _) => hash.Add(3);
            }

            if (type == typeof(Digest))
            {
                return (hash, value) => hash.AddDigest(Unsafe.As<T, Digest>(ref value));
            }

            if (Nullable.GetUnderlyingType(type) is { } inner)
            {
                return typeof(StructuralHash).GetMethod(nameof(WalkNullable), BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(inner).CreateDelegate<Action<StructuralHash, T>>();
            }

            if (type.IsEnum || type.IsPrimitive)
            {
                ParameterExpression hash = Expression.Parameter(typeof(StructuralHash));
                ParameterExpression value = Expression.Parameter(type);
                Expression bits = type == typeof(bool) ? Expression.Condition(value, Expression.Constant(2ul), Expression.Constant(1ul)) : Expression.Convert(value, typeof(ulong));
                return Expression.Lambda<Action<StructuralHash, T>>(Expression.Call(hash, nameof(Add), null, bits), hash, value).Compile();
            }

            return ForFields<T>(type);
        }
    }

    private static void WalkNullable<T>(StructuralHash hash, T? value)
        where T : struct
    {
        hash.Add(value is null ? 0ul : 1ul);
        if (value is { } present)
        {
            hash.Walk(present);
        }
    }
}
