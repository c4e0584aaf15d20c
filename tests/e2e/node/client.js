// Runs one tuning job from Node.js, as a client in another language would: with nothing but the .proto files.
//
//   node client.js ADDRESS SPEC.json [PROTOS]
//
// ADDRESS is host:port of the API, SPEC.json holds a TuningJobSpec with the field names of the .proto files, PROTOS is
// the folder protos/ (default: this repository's). Creates the job, watches it to its end, reads it once more, and prints one line of JSON:
//   {"name", "state", "best": {"name", "finalObjectiveValue", "hyperparameters"} | null, "events"}
// Any error goes to standard error with exit status 1.
"use strict";

const fs = require("fs");
const path = require("path");
const { promisify } = require("util");

const grpc = require("@grpc/grpc-js");
const protoLoader = require("@grpc/proto-loader");

const CALL_TIMEOUT_MS = 20_000;
const WATCH_TIMEOUT_MS = 100_000;

function loadService(protos) {
  const definition = protoLoader.loadSync(path.join("hrnn_tuner", "v1", "tuning_service.proto"), {
    includeDirs: [protos],
    keepCase: true, // field names as in the .proto files
    enums: String,
    longs: Number, // hyperparameters and steps are far below 2^53
    defaults: true,
    oneofs: true,
  });
  return grpc.loadPackageDefinition(definition).hrnn_tuner.v1.TuningService;
}

// Calls a unary method with a deadline.
function call(client, method, request) {
  const deadline = new Date(Date.now() + CALL_TIMEOUT_MS);
  return promisify(client[method].bind(client))(request, new grpc.Metadata(), { deadline });
}

// Counts the events of a tuning job until the server ends the stream, which it does when the job has ended.
function watch(client, name) {
  return new Promise((resolve, reject) => {
    let events = 0;
    const stream = client.watchTuningJob({ name }, { deadline: new Date(Date.now() + WATCH_TIMEOUT_MS) });
    stream.on("data", (response) => {
      if (response.event !== "heartbeat") events += 1;
    });
    stream.on("error", reject);
    stream.on("end", () => resolve(events));
  });
}

// {lr: {kind: "double_value", double_value: 0.1}} becomes {lr: 0.1}.
function plainValues(hyperparameters) {
  return Object.fromEntries(Object.entries(hyperparameters).map(([name, value]) => [name, value[value.kind]]));
}

async function main([address, specPath, protos = path.join(__dirname, "..", "..", "..", "protos")]) {
  if (!specPath) throw new Error("usage: node client.js ADDRESS SPEC.json [PROTOS]");
  const TuningService = loadService(protos);
  const client = new TuningService(address, grpc.credentials.createInsecure());
  try {
    const spec = JSON.parse(fs.readFileSync(specPath, "utf8"));
    const created = await call(client, "createTuningJob", { tuning_job: spec });
    const { name } = created.tuning_job;
    const events = await watch(client, name);
    const { tuning_job: tuningJob } = await call(client, "getTuningJob", { name });
    const best = tuningJob.best_training_job;
    const result = {
      name: tuningJob.name,
      state: tuningJob.state,
      best: best && {
        name: best.name,
        finalObjectiveValue: best.final_objective_value,
        hyperparameters: plainValues(best.hyperparameters),
      },
      events,
    };
    console.log(JSON.stringify(result));
  } finally {
    client.close();
  }
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
