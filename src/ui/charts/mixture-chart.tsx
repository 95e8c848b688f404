import { memo } from 'react';
import { Area, AreaChart, Tooltip } from 'recharts';
import { formatPercent } from '../core/format';
import { roundScale } from '../core/ticks';
import { DOMAIN_COLOURS } from '../core/theme-colours';
import { CURSOR, RunMarks, MARGIN, SharedXAxis, SYNC, ValueAxis } from './axes';
import { useChartData } from './chart-data';
import { ChartFrame } from './chart-frame';
import { Readout } from './readout';

const SHARES = roundScale(0, 1, { count: 2, percent: true });
const NOTE = 'Share of every domain in the training windows.';

/** The sampling weights of the domains as they adapt, stacked to one. */
export const MixtureChart = memo(function MixtureChart() {
  const { rows, domains, theme } = useChartData();
  const colours = DOMAIN_COLOURS[theme];
  const series = domains.map((name, index) => ({
    name,
    colour: colours[index % colours.length] ?? '',
    value: (row: (typeof rows)[number]) => row[`mixture${index}`],
    format: formatPercent,
  }));
  return (
    <ChartFrame
      title="Mixture"
      note={NOTE}
      columns={series.map(({ name, value }) => ({ title: name, value, format: formatPercent }))}
    >
      <AreaChart data={rows} syncId={SYNC} margin={MARGIN}>
        <SharedXAxis />
        <ValueAxis scale={SHARES} />
        <Tooltip
          cursor={CURSOR}
          isAnimationActive={false}
          filterNull={false}
          content={<Readout series={series} />}
        />
        {series.map(({ colour }, index) => (
          <Area
            key={index}
            dataKey={`mixture${index}`}
            stackId="mixture"
            type="stepAfter"
            stroke="var(--surface)"
            strokeWidth={0.75}
            fill={colour}
            fillOpacity={0.9}
            activeDot={false}
            isAnimationActive={false}
          />
        ))}
        <RunMarks />
      </AreaChart>
    </ChartFrame>
  );
});
