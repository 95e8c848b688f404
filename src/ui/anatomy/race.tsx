import { formatNumber } from '../core/format';
import { type RaceRow, raceTable, type RaceTable } from '../core/race-table';
import { type RunRecord, stepOf } from '../core/run-record';

/** The candidates for the mask and what each round said of them: open while they race, folded afterwards. */
export function Race({ run }: { run: RunRecord }) {
  const table = raceTable(run);
  if (!table) return null;
  const going = run.surgery === null && stepOf(run) === 0;
  return (
    <details className="race" key={`${run.id} ${going}`} open={going}>
      <summary>{outline(table)}</summary>
      <p className="anatomy-caption">
        The loss right after a cut does not predict the loss after retraining; a few steps of healing do
        better. So each mask heals for some steps and is judged on held-out text.
      </p>
      <Judgements table={table} />
    </details>
  );
}

function outline({ rows, steps, winner }: RaceTable): string {
  const candidates = `Judged after healing: ${rows.length} masks`;
  if (winner) return `${candidates}, ${winner.label} wins after ${steps.at(-1)} steps`;
  const left = rows.filter(({ fate }) => fate === 'in').length;
  return `${candidates}, ${left} still in the race`;
}

function Judgements({ table: { rows, steps } }: { table: RaceTable }) {
  return (
    <div className="table-scroll" tabIndex={0} role="group" aria-label="Race of the masks">
      <table>
        <caption className="visually-hidden">Mean held-out loss of every candidate by round</caption>
        <thead>
          <tr>
            <th scope="col">Candidate</th>
            <th scope="col">Layers kept</th>
            {steps.map((count, round) => (
              <th key={round} scope="col">
                {round === 0 ? 'Loss after ' : ''}
                {count} {count === 1 ? 'step' : 'steps'}
              </th>
            ))}
            <th scope="col">Outcome</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.candidate} data-fate={row.fate}>
              <th scope="row">{row.label}</th>
              <td>{row.layers.join(', ')}</td>
              {row.losses.map((loss, round) => (
                <td key={round}>{loss === null ? '–' : formatNumber(loss, 4)}</td>
              ))}
              <td>{FATES[row.fate]}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const FATES: Record<RaceRow['fate'], string> = { won: 'wins', out: 'out', in: 'goes on' };
