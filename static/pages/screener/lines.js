// A condition as the builder has it, groups of rows, and how it is read of a tree and written as a line. Pure.
//
// A group is { joined: "all" | "any" | "none", of: [group or row, …] }, a row { left, operator, right, within }, texts as
// the line has them; a row without an operator is a signal, which happens.

const LISTED = new Set(["between", "inside", "outside", "enters", "exits"]);
const SIGNS = { gt: ">", lt: "<", gte: ">=", lte: "<=", eq: "=" };
export const DEEPEST = 5; // groups that the builder shows in each other

export const blank = () => ({ left: "", operator: "gt", right: "", within: "" });

/** The group of a tree as the interface tells it; null is one without rows. */
export function fromTree(tree) {
  const read = tree == null ? { joined: "all", of: [] } : node(tree);
  return read.of ? read : { joined: "all", of: [read] };
}

/** The line of a group; rows that are not filled yet are left out. */
export function toLine(group) {
  return written(group, true);
}

function node(tree) {
  if (tree.all || tree.any) return { joined: tree.all ? "all" : "any", of: (tree.all ?? tree.any).map(node) };
  if (tree.not) return tree.not.any ? { joined: "none", of: tree.not.any.map(node) } : { joined: "none", of: [node(tree.not)] };
  const { left, operator, right, within } = tree;
  if (left.signal && operator === "eq" && right === 1 && within == null && !left.times) return { left: operand(left), operator: "", right: "", within: "" };
  return { left: operand(left), operator, right: rightOf(operator, right), within: within == null ? "" : span(within) };
}

function rightOf(operator, right) {
  if (operator === "in") return right.map(operand).join(", ");
  if (LISTED.has(operator)) return right.map(operand).join(" and ");
  return right?.percent === undefined ? operand(right) : `${operand(right.percent)}%`;
}

function operand(told) {
  if (typeof told === "number") return String(told);
  const name = told.field ?? told.indicator ?? told.signal ?? told.record;
  const output = told.output && told.output !== name.split("_")[0] ? `.${told.output}` : "";
  const text = `${told.symbol ? `"${told.symbol}".` : ""}${name}${output}${told.interval ? `@${told.interval}` : ""}${told.ago ? `[${told.ago}]` : ""}`;
  return told.times === undefined ? text : `${text} * ${told.times}`;
}

/** 259200s is 3d. */
function span(within) {
  const seconds = /^(\d+)s$/.exec(within)?.[1];
  if (!seconds) return String(within);
  const [size, unit] = [[86_400, "d"], [3600, "h"], [60, "m"], [1, "s"]].find(([each]) => seconds % each === 0);
  return `${seconds / size}${unit}`;
}

function written(each, isOutermost = false) {
  if (!each.of) return row(each);
  const parts = each.of.map((one) => written(one)).filter(Boolean);
  if (!parts.length) return "";
  const text = parts.join(each.joined === "all" ? " and " : " or ");
  if (each.joined === "none") return `not (${text})`;
  return isOutermost || parts.length === 1 ? text : `(${text})`;
}

function row({ left, operator, right, within }) {
  const [one, other] = [left.trim(), right.trim()];
  if (!one || (operator && !other)) return "";
  if (!operator) return one;
  const last = within.trim();
  return `${one} ${SIGNS[operator] ?? operator} ${operator === "in" ? `[${other}]` : other}${last && last !== "1" ? ` within ${last}` : ""}`;
}
