// Prints what the npm package pprof-format reads from a profile.proto, one sample a line:
// function, file, line, then the values by their type's name.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { gunzipSync } from 'node:zlib';

const [modules, file] = process.argv.slice(2);
const { Profile } = createRequire(modules + '/')('pprof-format');
const profile = Profile.decode(gunzipSync(readFileSync(file)));
const text = (place) => profile.stringTable.strings[Number(place)];
// The package takes a negative number for a large one.
const signed = (value) => Number(BigInt.asIntN(64, BigInt(value)));
const byId = (list) => new Map(list.map((entry) => [Number(entry.id), entry]));
const [locations, functions] = [byId(profile.location), byId(profile.function)];
for (const sample of profile.sample) {
  const { functionId, line } = locations.get(Number(sample.locationId[0])).line[0];
  const of = functions.get(Number(functionId));
  const values = sample.value.map((value, i) => [text(profile.sampleType[i].type), signed(value)]);
  console.log(JSON.stringify({
    function: text(of.name), file: text(of.filename), line: Number(line), ...Object.fromEntries(values),
  }));
}
