// The order of a room. A position is "NUMBER-EPOCH"; within one epoch the numbers rise.
//
// Entries without a position are the page's own notices and stay where they were put.

const MOST_ENTRIES = 3000;
const LET_GO = 1000;

/** Puts one entry where its position says: nearly always at the end. */
export function insert(entries, entry) {
  const at = entries.findIndex((one) => isAfter(one.position, entry.position));
  if (at === -1) return [...entries, entry];
  return [...entries.slice(0, at), entry, ...entries.slice(at)];
}

/** Puts in those that are not there yet. */
export function merge(entries, more) {
  return more.filter((one) => !find(entries, one)).reduce(insert, entries);
}

/** The entry for the same thing: of the same position, or the same message of the same person. */
export function find(entries, wanted) {
  return entries.find((one) => isSame(one, wanted));
}

/** Whether it belongs to the part before the first entry, which is not loaded. */
export function isBefore(entries, { position }) {
  const first = entries.find((one) => one.position);
  return first !== undefined && isAfter(first.position, position);
}

export function firstSay(entries) {
  return entries.find((one) => one.kind === "say");
}

export function lastSay(entries) {
  return entries.findLast((one) => one.kind === "say");
}

/** Without its oldest where it has become long; those can be loaded again. */
export function trimmed(entries) {
  return entries.length > MOST_ENTRIES ? entries.slice(LET_GO) : entries;
}

function isSame(one, other) {
  if (one.position && one.position === other.position) return true;
  const both = one.kind === "say" && other.kind === "say";
  return both && one.id === other.id && one.message_id === other.message_id;
}

function isAfter(one, other) {
  if (!one || !other) return false;
  const [number, epoch] = one.split("-");
  const [otherNumber, otherEpoch] = other.split("-");
  return epoch === otherEpoch && Number(number) > Number(otherNumber);
}
