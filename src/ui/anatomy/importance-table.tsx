import { type Importance, importanceRows, type Outcome } from '../core/importance';
import { describePins } from '../core/pinned-units';

interface ImportanceTableProps {
  importance: Importance;
  outcome: Outcome;
  pins: readonly string[];
}

/** The same as the drawing of the scores, in numbers; those of every unit are in the file. */
export function ImportanceTable({ importance, outcome, pins }: ImportanceTableProps) {
  return (
    <div className="table-scroll" tabIndex={0} role="group" aria-label="Importance by layer">
      <table>
        <caption className="visually-hidden">
          Scores and ranks of every layer, and of its units from the least to the greatest
        </caption>
        <thead>
          <tr>
            <th scope="col">Layer</th>
            <th scope="col">Score</th>
            <th scope="col">Rank</th>
            <th scope="col">Heads</th>
            <th scope="col">MLP units</th>
            <th scope="col">By hand</th>
          </tr>
        </thead>
        <tbody>
          {importanceRows(importance, outcome).map(({ layer, score, rank, heads, units }) => (
            <tr key={layer ?? 'hidden'}>
              <th scope="row">{layer === null ? 'Hidden' : layer + 1}</th>
              {layer === null ? (
                <td colSpan={4}>{rank}</td>
              ) : (
                <>
                  <td>{score}</td>
                  <td>{rank}</td>
                  <td>{heads}</td>
                  <td>{units}</td>
                </>
              )}
              <td>{describePins(pins, layer) || '–'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
