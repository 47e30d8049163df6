// A table of values, wide ones scroll sideways.
export function ValueTable({ columns, rows, label }: { columns: string[]; rows: unknown[][]; label: string }) {
  const width = Math.max(columns.length, ...rows.map((row) => row.length));
  const numbers = Array.from({ length: width }, (_, at) => rows.length > 0 && rows.every((row) => isEmpty(row[at]) || isNumeric(row[at])));
  const look = (at: number) => (numbers[at] ? 'number' : undefined);
  return (
    <div className="scroll-x" tabIndex={0} role="region" aria-label={label}>
      <table className="values">
        {columns.length > 0 && (
          <thead>
            <tr>
              {columns.map((column, index) => (
                <th key={index} scope="col" className={look(index)}>
                  {column}
                </th>
              ))}
            </tr>
          </thead>
        )}
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, at) => (
                <td key={at} className={look(at)}>
                  {isEmpty(cell) ? '' : String(cell)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const isEmpty = (cell: unknown) => cell === null || cell === undefined || cell === '';
const isNumeric = (cell: unknown) =>
  typeof cell === 'number' || (typeof cell === 'string' && /^-?\d+(\.\d+)?(e[-+]?\d+)?$/i.test(cell));
