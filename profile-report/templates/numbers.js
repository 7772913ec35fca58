// Numbers, as the rest of the report writes them: sizes are bytes, moments nanoseconds of the run.
/** The unit in which sizes are shown. */
let unit = { size: 1048576, name: "MiB" };
/** Like toFixed, but what lies exactly between two goes to the even one, as in the other files. */
const fixed = (value, decimals) => {
  const scaled = value * 10 ** decimals;
  const down = Math.floor(scaled);
  return (scaled - down === 0.5 && down % 2 === 0 ? down / 10 ** decimals : value).toFixed(decimals);
};
const digits = (value) => {
  if (value === 0) return "0";
  if (value < 0.0005) return "<0.001";
  return [3, 2, 1].map((d) => fixed(value, d)).find((text) => text.length <= 5) ?? fixed(value, 0);
};
const size = (bytes) => (unit.size === 1 ? String(Math.abs(bytes)) : digits(Math.abs(bytes) / unit.size));
const change = (bytes) => (bytes > 0 ? "+" : bytes < 0 ? "-" : "") + size(bytes);
const seconds = (t) => (t < 1e9 ? digits(t / 1e6) + " ms" : (t / 1e9).toFixed(4) + " s");
