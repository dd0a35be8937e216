// The order of a table's rows, kept in the address.

/** The order that the address tells as `sort`, "-" before what falls, and `sorted`, which keeps it there: for a Table. */
export function keptOrder(address, columns) {
  const [name, way] = address.get("sort")?.match(/^(-?)(\w+)$/)?.slice(1).reverse() ?? [];
  return {
    order: columns[name]?.value ? [name, way !== "-"] : null,
    sorted: (by, isAscending) => address.set({ sort: `${isAscending ? "" : "-"}${by}` }),
  };
}
