import { type Importance, importanceRows, type Outcome } from '../core/importance';
import { describePins } from '../core/pinned-units';

interface ImportanceTableProps {
  importance: Importance | null;
  outcome: Outcome;
  pins: readonly string[];
}

/** The same as the drawing of the scores, in numbers; those of every unit are in the file. */
export function ImportanceTable({ importance, outcome, pins }: ImportanceTableProps) {
  return (
    <div className="table-scroll" tabIndex={0} role="group" aria-label="Importance by layer">
      <table>
        <caption className="visually-hidden">
          Scores and places of every layer, and of its units from the least to the greatest
        </caption>
        <thead>
          <tr>
            <th scope="col">Layer</th>
            <th scope="col">Score</th>
            <th scope="col">Place</th>
            <th scope="col">Heads</th>
            <th scope="col">MLP units</th>
            <th scope="col">By hand</th>
          </tr>
        </thead>
        <tbody>
          {importance &&
            importanceRows(importance, outcome).map(({ layer, score, place, heads, units }) => (
              <tr key={layer ?? 'hidden'}>
                <th scope="row">{layer === null ? 'Hidden' : layer + 1}</th>
                {layer === null ? (
                  <td colSpan={4}>{place}</td>
                ) : (
                  <>
                    <td>{score}</td>
                    <td>{place}</td>
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
