// Drives a real cluster with grpc-js: node client.mjs <case>, with the cluster as JSON in BFT_FOREIGN.
import assert from "node:assert/strict";
import { X509Certificate, randomBytes } from "node:crypto";
import tls from "node:tls";
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";
import * as bytes from "./bytes.mjs";

const hex = (text) => Buffer.from(text, "hex");
const given = JSON.parse(process.env.BFT_FOREIGN);
const cluster = hex(given.cluster);
const witnesses = given.witnesses.map((entry, index) => ({ index, target: entry.target, key: hex(entry.key), pin: hex(entry.pin) }));
const keys = witnesses.map((witness) => witness.key);
const identity = bytes.signer(hex(given.seed));
const identityKey = bytes.rawKey(identity);
const shape = { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true, includeDirs: ["."] };
const load = (file) => grpc.loadPackageDefinition(loader.loadSync(file, shape));
const pinOf = (certificate) => bytes.sha256(new X509Certificate(certificate.raw).publicKey.export({ type: "spki", format: "der" }));

// The certificate that a witness shows is taken as a root only if it has the pin; then no other can be shown on the call's connection.
async function trusted(witness) {
  const [host, port] = witness.target.split(":");
  const shown = await new Promise((resolve, reject) => {
    const socket = tls.connect({ host, port, rejectUnauthorized: false, ALPNProtocols: ["h2"], minVersion: "TLSv1.3" }, () => {
      resolve(socket.getPeerCertificate());
      socket.destroy();
    });
    socket.on("error", reject);
  });
  const isPinned = (certificate) => pinOf(certificate).equals(witness.pin);
  assert.ok(isPinned(shown), "the certificate does not have the pin");
  const pem = new X509Certificate(shown.raw).toString();
  return grpc.credentials.createSsl(Buffer.from(pem), null, null, {
    checkServerIdentity: (_, certificate) => (isPinned(certificate) ? undefined : new Error("another certificate")),
  });
}

const options = { "grpc.max_receive_message_length": 8 * 1024 * 1024 };
const connect = async (Service, witness = witnesses[0]) => new Service(witness.target, await trusted(witness), options);
const unary = (client, method, request) =>
  new Promise((resolve, reject) => client[method](request, (error, response) => (error ? reject(error) : resolve(response))));

// A duplex call as a queue.
function talk(call) {
  const [arrived, waiting] = [[], []];
  let failure;
  call.on("data", (message) => (waiting.length > 0 ? waiting.shift().resolve(message) : arrived.push(message)));
  call.on("error", (error) => ((failure = error), waiting.splice(0).forEach((one) => one.reject(error))));
  const next = () =>
    arrived.length > 0 ? Promise.resolve(arrived.shift())
    : failure ? Promise.reject(failure)
    : new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  const nextOf = async (...kinds) => {
    for (;;) {
      const message = await next();
      if (kinds.includes(message.frame)) return message;
      assert.ok(!["refusal", "end"].includes(message.frame), JSON.stringify(message));
    }
  };
  return { write: (message) => call.write(message), nextOf, cancel: () => (call.on("error", () => {}), call.cancel()) };
}

async function session(method, witness) {
  const call = talk((await connect(load("bft/v1/witness.proto").bft.v1.Witness, witness))[method]());
  const { challenge } = await call.nextOf("challenge");
  const hello = bytes.signed(bytes.helloStatement(cluster, identityKey, witness.index, witness.pin, challenge.nonce), identity);
  call.write({ hello: { client_key: identityKey, signature: hello.signature } });
  await call.nextOf("welcome");
  return call;
}

const cases = {
  async health() {
    const client = await connect(load("grpc/health/v1/health.proto").grpc.health.v1.Health);
    assert.equal((await unary(client, "Check", {})).status, "SERVING");
    await assert.rejects(unary(client, "Check", { service: "no.such" }), { code: grpc.status.NOT_FOUND });
    const watch = client.Watch({});
    assert.equal((await new Promise((resolve) => watch.once("data", resolve))).status, "SERVING");
    watch.on("error", () => {});
    watch.cancel();
  },

  async info() {
    for (const witness of witnesses) {
      const { info } = await unary(await connect(load("bft/v1/witness.proto").bft.v1.Witness, witness), "Info", {});
      assert.deepEqual([info.cluster, info.witness, info.witness_key], [cluster, witness.index, witness.key]);
    }
  },

  async wrong_pin() {
    await assert.rejects(connect(load("bft/v1/witness.proto").bft.v1.Witness, { ...witnesses[0], pin: witnesses[1].pin }), /pin/);
  },

  // As a generic tool does it: nothing is known of the service but what reflection tells.
  async reflection() {
    for (const version of ["v1", "v1alpha"]) {
      const call = (await connect(load(`grpc/reflection/${version}/reflection.proto`).grpc.reflection[version].ServerReflection)).ServerReflectionInfo();
      const ask = (request) => new Promise((resolve, reject) => (call.once("data", resolve), call.once("error", reject), call.write(request)));
      const services = (await ask({ list_services: "" })).list_services_response.service.map((service) => service.name);
      for (const name of ["bft.v1.Witness", "bft.v1.Peer", "grpc.health.v1.Health"]) assert.ok(services.includes(name), `${name} is not among ${services}`);
      const files = (await ask({ file_containing_symbol: "bft.v1.Witness" })).file_descriptor_response.file_descriptor_proto;
      call.end();
      const length = (n) => (n < 128 ? [n] : [(n & 127) | 128, ...length(n >> 7)]);
      const set = Buffer.concat(files.flatMap((file) => [Buffer.from([10, ...length(file.length)]), file]));
      const described = grpc.loadPackageDefinition(loader.loadFileDescriptorSetFromBuffer(set, shape));
      const { info } = await unary(await connect(described.bft.v1.Witness), "Info", {});
      assert.deepEqual(info.cluster, cluster);
    }
  },

  // A publisher and a receiver made of docs/wire.md: two batches, all four witnesses ack both, and one serves them.
  async broadcast() {
    const topic = `plain.foreign-${Date.now()}`;
    const run = bytes.incarnation(Date.now(), randomBytes(8));
    const stream = bytes.streamId(cluster, identityKey, topic, run);
    const payloads = [["one\n", "", "Ähre\n"], ["x".repeat(20_000)]].map((batch) => batch.map((payload) => Buffer.from(payload)));
    const calls = await Promise.all(witnesses.map((witness) => session("Publish", witness)));
    for (const call of calls) {
      call.write({ inquiry: { topic } });
      assert.deepEqual((await call.nextOf("standing")).standing.originals, []);
    }

    let previous;
    const statements = [];
    for (const [sequence, batch] of payloads.entries()) {
      const body = bytes.bodyOf(batch);
      const original = bytes.signed(bytes.batchStatement(cluster, identityKey, topic, run, sequence, previous, body), identity);
      previous = bytes.sha256(original.statement);
      statements.push(original);
      const reference = Buffer.concat([stream, bytes.u64(sequence), previous]);
      const acks = await Promise.all(calls.map(async (call, witness) => {
        call.write({ batch: { ...original, body: body.bytes } });
        for (;;) {
          const { acks } = await call.nextOf("acks");
          const ack = bytes.acksOf(acks.bundle, cluster, keys).find((one) => one.reference.equals(reference));
          if (ack) {
            assert.equal(ack.witness, witness);
            return ack;
          }
        }
      }));
      const certificate = bytes.certificateOf(acks);
      assert.deepEqual(bytes.verifyCertificate(certificate, cluster, keys), reference);
      for (const call of calls) call.write({ certified: { certificate, statements: [] } });
      await Promise.all(calls.map(async (call) => {
        for (;;) {
          const { tip } = await call.nextOf("tip");
          if (bytes.verifyCertificate(tip.certificate, cluster, keys).equals(reference)) return;
        }
      }));
    }

    const reader = await session("Subscribe", witnesses[2]);
    reader.write({ start: { topic, from: "START_POSITION_EARLIEST", bodies: true } });
    const received = [];
    const promised = [];
    while (received.length < statements.length) {
      const message = await reader.nextOf("certified", "body");
      if (message.frame === "certified") {
        const covered = message.certified.statements;
        assert.deepEqual(bytes.verifyCertificate(message.certified.certificate, cluster, keys).subarray(40), bytes.sha256(covered.at(-1).statement));
        covered.forEach((one, i) => i > 0 && assert.deepEqual(one.statement.subarray(105, 137), bytes.sha256(covered[i - 1].statement)));
        promised.push(...covered);
      } else {
        const { statement } = promised.shift();
        assert.deepEqual([statement, message.body.stream, Number(message.body.sequence)], [statements[received.length].statement, stream, received.length]);
        assert.deepEqual(statement.subarray(161, 193), bytes.bodyRoot(message.body.body));
        received.push(bytes.payloadsOf(message.body.body));
      }
    }

    assert.deepEqual(received, payloads);
    [...calls, reader].forEach((call) => call.cancel());
  },
};

await cases[process.argv[2]]();
console.log("ok");
process.exit(0);
