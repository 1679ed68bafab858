// Drives the echo server of ForeignTests with grpc-js: node client.mjs <host:port> <case>.
import assert from "node:assert/strict";
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

const [address, chosen] = process.argv.slice(2);
const credentials = grpc.credentials.createInsecure();
const shape = { keepCase: true, longs: Number, enums: String, defaults: true, oneofs: true };
const load = (file) => grpc.loadPackageDefinition(loader.loadSync(file, { ...shape, includeDirs: ["."] }));
const echo = () => new (load("echo.proto").bft.test.v1.Echo)(address, credentials);

const unary = (client, method, request, metadata = new grpc.Metadata(), options = {}) =>
  new Promise((resolve, reject) => {
    const seen = {};
    const call = client[method](request, metadata, options, (error, response) =>
      error ? reject(error) : setImmediate(() => resolve({ response, ...seen })));
    call.on("metadata", (headers) => (seen.headers = headers));
    call.on("status", (status) => (seen.trailers = status.metadata));
  });

const received = (call) =>
  new Promise((resolve, reject) => {
    const messages = [];
    call.on("data", (message) => messages.push(message));
    call.on("error", reject);
    call.on("end", () => resolve(messages));
  });

async function ask(service, ...requests) {
  const call = service.ServerReflectionInfo();
  const responses = received(call);
  requests.forEach((request) => call.write(request));
  call.end();
  return responses;
}

const cases = {
  async unary() {
    const payload = Buffer.alloc(3_000_000, 7);
    const { response } = await unary(echo(), "Unary", { text: "Ähre", payload });
    assert.equal(response.text, "Ähre");
    assert.ok(payload.equals(response.payload));
  },

  async collect() {
    const sum = await new Promise((resolve, reject) => {
      const call = echo().Collect((error, response) => (error ? reject(error) : resolve(response)));
      for (const text of ["a", "b", "c"]) call.write({ text });
      call.end();
    });
    assert.deepEqual([sum.text, sum.count], ["abc", 3]);
  },

  async repeat() {
    const messages = await received(echo().Repeat({ text: "t", count: 1000 }));
    assert.deepEqual(messages.map((message) => message.count), [...Array(1000).keys()]);
  },

  async chat() {
    const call = echo().Chat();
    const answers = received(call);
    for (let count = 0; count < 100; count++) call.write({ count, payload: Buffer.alloc(count * 1000) });
    call.end();
    assert.deepEqual((await answers).map((m) => [m.count, m.payload.length]), [...Array(100).keys()].map((i) => [i, i * 1000]));
  },

  async metadata() {
    const metadata = new grpc.Metadata();
    metadata.add("echo-text", "plain");
    metadata.add("echo-bytes-bin", Buffer.from([0, 255, 1]));
    const { headers, trailers } = await unary(echo(), "Unary", { text: "metadata" }, metadata);
    for (const back of [headers, trailers]) {
      assert.deepEqual(back.get("echo-text"), ["plain"]);
      assert.deepEqual(back.get("echo-bytes-bin"), [Buffer.from([0, 255, 1])]);
    }
  },

  async failure() {
    await assert.rejects(unary(echo(), "Unary", { text: "fail" }), (e) => {
      assert.equal(e.code, grpc.status.NOT_FOUND);
      assert.equal(e.details, "50 % Ähre");
      assert.deepEqual(e.metadata.get("grpc-status-details-bin"), [Buffer.from([8, 5])]);
      return true;
    });
    await assert.rejects(received(echo().Repeat({ text: "fail", count: 2 })), { code: grpc.status.ABORTED });
    await assert.rejects(unary(echo(), "Unary", { text: "throw" }), { code: grpc.status.UNKNOWN });
    await assert.rejects(unary(echo(), "Unary", { payload: Buffer.alloc(5_000_000) }), { code: grpc.status.RESOURCE_EXHAUSTED });
  },

  async deadline() {
    await assert.rejects(unary(echo(), "Unary", { text: "wait" }, undefined, { deadline: Date.now() + 300 }), { code: grpc.status.DEADLINE_EXCEEDED });
  },

  async cancel() {
    const call = echo().Chat();
    const answers = received(call);
    call.write({ text: "first" });
    call.once("data", () => call.cancel());
    await assert.rejects(answers, { code: grpc.status.CANCELLED });
  },

  async compressed() {
    const client = new (load("echo.proto").bft.test.v1.Echo)(address, credentials, { "grpc.default_compression_algorithm": 2 });
    await assert.rejects(unary(client, "Unary", { payload: Buffer.alloc(10_000) }), { code: grpc.status.UNIMPLEMENTED });
  },

  async health() {
    const client = new (load("grpc/health/v1/health.proto").grpc.health.v1.Health)(address, credentials);
    assert.equal((await unary(client, "Check", {})).response.status, "SERVING");
    await assert.rejects(unary(client, "Check", { service: "no" }), { code: grpc.status.NOT_FOUND });
    const watch = client.Watch({});
    const status = await new Promise((resolve) => watch.once("data", resolve));
    watch.on("error", () => {});
    watch.cancel();
    assert.equal(status.status, "SERVING");
  },

  // As a generic tool does it: nothing is known of the service but what reflection tells.
  async reflection() {
    for (const version of ["v1", "v1alpha"]) {
      const service = new (load(`grpc/reflection/${version}/reflection.proto`).grpc.reflection[version].ServerReflection)(address, credentials);
      const [list, file, none] = await ask(
        service, { list_services: "" }, { file_containing_symbol: "bft.test.v1.Echo" }, { file_by_filename: "no.proto" });
      assert.ok(list.list_services_response.service.some((entry) => entry.name === "bft.test.v1.Echo"));
      assert.equal(none.error_response.error_code, grpc.status.NOT_FOUND);

      const files = file.file_descriptor_response.file_descriptor_proto;
      const length = (n) => (n < 128 ? [n] : [(n & 127) | 128, ...length(n >> 7)]);
      const set = Buffer.concat(files.flatMap((bytes) => [Buffer.from([10, ...length(bytes.length)]), bytes]));
      const described = grpc.loadPackageDefinition(loader.loadFileDescriptorSetFromBuffer(set, shape));
      const client = new described.bft.test.v1.Echo(address, credentials);
      assert.equal((await unary(client, "Unary", { text: "reflected" })).response.text, "reflected");
    }
  },
};

await cases[chosen]();
console.log("ok");
process.exit(0);
