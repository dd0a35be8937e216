// What people call a job: as the interface told it of any job of that name, for those of which only a change is known.

const titles = new Map();

export function titleOf({ name, title }) {
  if (title) titles.set(name, title);
  return titles.get(name) ?? "";
}
