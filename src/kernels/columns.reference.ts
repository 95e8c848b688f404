interface ColumnsShape {
  rows: number;
  width: number;
  first: number;
  columns: number;
  scale: number;
}

/** scale · columns `first` to `first + columns` of whole [rows, width], as [rows, columns]. */
export function takeColumnsReference(
  whole: ArrayLike<number>,
  { rows, width, first, columns, scale }: ColumnsShape,
): Float64Array {
  return Float64Array.from(
    { length: rows * columns },
    (_, i) => scale * whole[Math.floor(i / columns) * width + first + (i % columns)]!,
  );
}

/** whole [rows, width] with scale · part [rows, columns] added to columns `first` to `first + columns`. */
export function addColumnsReference(
  whole: ArrayLike<number>,
  part: ArrayLike<number>,
  { rows, width, first, columns, scale }: ColumnsShape,
): Float64Array {
  return Float64Array.from({ length: rows * width }, (_, i) => {
    const column = (i % width) - first;
    const inside = column >= 0 && column < columns;
    return whole[i]! + (inside ? scale * part[Math.floor(i / width) * columns + column]! : 0);
  });
}
