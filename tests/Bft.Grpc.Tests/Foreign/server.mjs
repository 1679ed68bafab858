// An echo server of grpc-js for ForeignTests; prints its port, ends with its standard input.
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

const { Echo } = grpc.loadPackageDefinition(loader.loadSync("echo.proto", { keepCase: true, defaults: true })).bft.test.v1;
const server = new grpc.Server();

const trailers = () => {
  const metadata = new grpc.Metadata();
  metadata.set("why", "because");
  metadata.set("grpc-status-details-bin", Buffer.from([8, 5]));
  return metadata;
};

server.addService(Echo.service, {
  Unary(call, done) {
    if (call.request.text === "fail") return done({ code: grpc.status.NOT_FOUND, details: "50 % Ähre", metadata: trailers() });
    if (call.request.text === "wait") return;
    call.sendMetadata(call.metadata);
    done(null, call.request, call.metadata);
  },
  Collect(call, done) {
    let text = "";
    let count = 0;
    call.on("data", (message) => ((text += message.text), count++));
    call.on("end", () => done(null, { text, count }));
  },
  Repeat(call) {
    for (let count = 0; count < call.request.count; count++) call.write({ text: call.request.text, count });
    if (call.request.text === "fail") call.emit("error", { code: grpc.status.ABORTED, details: "enough" });
    else call.end();
  },
  Chat(call) {
    call.on("data", (message) => call.write(message));
    call.on("end", () => call.end());
    call.on("cancelled", () => console.log("cancelled"));
  },
});

server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(port);
});
process.stdin.resume().on("end", () => process.exit(0));
