import { memo } from 'react';
import { Line, LineChart, Tooltip } from 'recharts';
import { formatCount } from '../core/format';
import { extentOf, roundScale } from '../core/ticks';
import { CURSOR, RunMarks, Grid, MARGIN, SharedXAxis, SYNC, ValueAxis } from './axes';
import { useChartData } from './chart-data';
import { ChartFrame } from './chart-frame';
import { Readout, type ReadoutSeries } from './readout';

const SERIES: ReadoutSeries[] = [
  {
    name: 'Tokens a second',
    colour: 'var(--accent)',
    value: (row) => row['tokensPerSecond'],
    format: formatCount,
  },
];

export const SpeedChart = memo(function SpeedChart() {
  const { rows, run } = useChartData();
  const fastest = extentOf(rows.map((row) => row['tokensPerSecond']))?.[1] ?? 1000;
  const software = run?.started.adapter.software ?? false;
  return (
    <ChartFrame
      title="Tokens a second"
      note="Training tokens a second, evaluations included."
      columns={SERIES.map(({ name, value }) => ({ title: name, value, format: formatCount }))}
      actions={software && <span className="tag">software adapter</span>}
    >
      <LineChart data={rows} syncId={SYNC} margin={MARGIN}>
        <Grid />
        <SharedXAxis />
        <ValueAxis scale={roundScale(0, fastest, { count: 3 })} />
        <Tooltip
          cursor={CURSOR}
          isAnimationActive={false}
          filterNull={false}
          content={<Readout series={SERIES} />}
        />
        <Line
          dataKey="tokensPerSecond"
          stroke="var(--accent)"
          strokeWidth={1.5}
          dot={false}
          activeDot={{ r: 2.5, strokeWidth: 0 }}
          connectNulls
          isAnimationActive={false}
        />
        <RunMarks />
      </LineChart>
    </ChartFrame>
  );
});
