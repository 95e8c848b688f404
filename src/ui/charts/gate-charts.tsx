import { memo } from 'react';
import { Line, LineChart, Tooltip } from 'recharts';
import { formatNumber, formatPercent } from '../core/format';
import { extentOf, roundScale } from '../core/ticks';
import { GATE_SET_TITLES, GATE_SETS } from '../core/gate-sets';
import { GATE_SET_COLOURS } from '../core/theme-colours';
import type { ChartRow } from '../core/chart-rows';
import { CURSOR, RunMarks, Grid, MARGIN, SharedXAxis, SYNC, ValueAxis } from './axes';
import { useChartData } from './chart-data';
import { ChartFrame } from './chart-frame';
import { Readout } from './readout';

const SPARSITY_NOTE = 'Expected share of closed gates in each set; the dashed line is the rising target.';
const MULTIPLIER_NOTE =
  'Lagrange multipliers of each gate set: λ₁ solid, on the left; λ₂ dashed, on the right.';

/** Expected sparsity of every gate set against its target. */
export const SparsityChart = memo(function SparsityChart() {
  const { rows, theme } = useChartData();
  const colours = GATE_SET_COLOURS[theme];
  const scale = roundScale(0, Math.max(0.2, extentOfSets(rows, ['expected', 'target'])[1]), {
    count: 3,
    percent: true,
  });
  const columns = GATE_SETS.flatMap((set) => [
    {
      title: GATE_SET_TITLES[set],
      value: (row: ChartRow) => row[`expected_${set}`],
      format: formatPercent,
    },
    {
      title: `${GATE_SET_TITLES[set]} target`,
      value: (row: ChartRow) => row[`target_${set}`],
      format: formatPercent,
    },
  ]);
  return (
    <ChartFrame
      title="Sparsity"
      note={SPARSITY_NOTE}
      columns={columns}
      actions={<GateLegend colours={colours} />}
    >
      <LineChart data={rows} syncId={SYNC} margin={MARGIN}>
        <Grid />
        <SharedXAxis />
        <ValueAxis scale={scale} />
        <Tooltip
          cursor={CURSOR}
          isAnimationActive={false}
          filterNull={false}
          content={
            <Readout
              series={GATE_SETS.map((set) => ({
                name: GATE_SET_TITLES[set],
                colour: colours[set],
                value: (row) => row[`expected_${set}`],
                format: formatPercent,
              }))}
            />
          }
        />
        {GATE_SETS.map((set) => (
          <Line
            key={`target_${set}`}
            dataKey={`target_${set}`}
            stroke={colours[set]}
            strokeDasharray="4 3"
            strokeOpacity={0.8}
            dot={false}
            activeDot={false}
            connectNulls
            isAnimationActive={false}
          />
        ))}
        {GATE_SETS.map((set) => (
          <Line
            key={set}
            dataKey={`expected_${set}`}
            stroke={colours[set]}
            strokeWidth={1.75}
            dot={false}
            activeDot={{ r: 2.5, strokeWidth: 0 }}
            connectNulls
            isAnimationActive={false}
          />
        ))}
        <RunMarks />
      </LineChart>
    </ChartFrame>
  );
});

/** The least and the greatest of some values of all gate sets. */
function extentOfSets(rows: readonly ChartRow[], values: readonly string[]): [number, number] {
  const keys = values.flatMap((value) => GATE_SETS.map((set) => `${value}_${set}`));
  return extentOf(rows.flatMap((row) => keys.map((key) => row[key]))) ?? [0, 0];
}

/** The multipliers that press the gates towards their targets. */
export const MultiplierChart = memo(function MultiplierChart() {
  const { rows, theme } = useChartData();
  const colours = GATE_SET_COLOURS[theme];
  const columns = (['lambda1', 'lambda2'] as const).flatMap((multiplier) =>
    GATE_SETS.map((set) => ({
      title: `${multiplier === 'lambda1' ? 'λ₁' : 'λ₂'} ${GATE_SET_TITLES[set]}`,
      value: (row: ChartRow) => row[`${multiplier}_${set}`],
    })),
  );
  return (
    <ChartFrame title="Multipliers" note={MULTIPLIER_NOTE} columns={columns}>
      <LineChart data={rows} syncId={SYNC} margin={{ ...MARGIN, right: 0 }}>
        <Grid yAxisId="one" />
        <SharedXAxis />
        <ValueAxis id="one" scale={roundScale(...extentOfSets(rows, ['lambda1']), { count: 3 })} />
        <ValueAxis
          id="two"
          side="right"
          scale={roundScale(...extentOfSets(rows, ['lambda2']), { count: 3 })}
        />
        <Tooltip
          cursor={CURSOR}
          isAnimationActive={false}
          filterNull={false}
          content={
            <Readout
              series={columns.map((column, i) => ({
                name: column.title,
                colour: colours[GATE_SETS[i % GATE_SETS.length] ?? 'hidden'],
                value: column.value,
                format: (value) => formatNumber(value, 3),
              }))}
            />
          }
        />
        {GATE_SETS.map((set) => (
          <Line
            key={`two${set}`}
            yAxisId="two"
            dataKey={`lambda2_${set}`}
            stroke={colours[set]}
            strokeDasharray="4 3"
            strokeOpacity={0.8}
            dot={false}
            activeDot={false}
            connectNulls
            isAnimationActive={false}
          />
        ))}
        {GATE_SETS.map((set) => (
          <Line
            key={`one${set}`}
            yAxisId="one"
            dataKey={`lambda1_${set}`}
            stroke={colours[set]}
            strokeWidth={1.5}
            dot={false}
            activeDot={{ r: 2.5, strokeWidth: 0 }}
            connectNulls
            isAnimationActive={false}
          />
        ))}
        <RunMarks yAxisId="one" />
      </LineChart>
    </ChartFrame>
  );
});

function GateLegend({ colours }: { colours: Readonly<Record<string, string>> }) {
  return (
    <span className="legend" aria-hidden="true">
      {GATE_SETS.map((set) => (
        <span key={set}>
          <i style={{ background: colours[set] }} />
          {GATE_SET_TITLES[set]}
        </span>
      ))}
    </span>
  );
}
