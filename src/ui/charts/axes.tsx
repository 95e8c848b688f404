import { CartesianGrid, ReferenceLine, XAxis, YAxis } from 'recharts';
import { type AxisScale, roundScale } from '../core/ticks';
import { useChartData } from './chart-data';

export const SYNC = 'bench';
export const MARGIN = { top: 6, right: 10, bottom: 0, left: 0 } as const;
export const CURSOR = { stroke: 'var(--signal)', strokeWidth: 1 } as const;
export const AXIS_WIDTH = 40;

export const TICK = { fill: 'var(--muted)', fontSize: 10.5 };

/** The x axis that all charts share. */
export function SharedXAxis({ wide }: { wide?: boolean }) {
  const { xAxis, extent } = useChartData();
  const { domain, ticks, format } = roundScale(...extent, { count: wide ? 9 : 5, fixed: true });
  return (
    <XAxis
      dataKey={xAxis}
      type="number"
      domain={domain}
      ticks={ticks}
      allowDataOverflow
      tickFormatter={format}
      tick={TICK}
      tickLine={false}
      axisLine={{ stroke: 'var(--line-strong)' }}
      interval={0}
      height={18}
    />
  );
}

interface ValueAxisProps {
  id?: string;
  side?: 'left' | 'right';
  scale: AxisScale;
  logarithmic?: boolean;
}

export function ValueAxis({ id, side = 'left', scale, logarithmic }: ValueAxisProps) {
  return (
    <YAxis
      {...(id ? { yAxisId: id } : {})}
      orientation={side}
      width={AXIS_WIDTH}
      scale={logarithmic ? 'log' : 'linear'}
      domain={scale.domain}
      ticks={scale.ticks}
      tickFormatter={scale.format}
      interval={0}
      tick={TICK}
      tickLine={false}
      axisLine={false}
      allowDataOverflow
    />
  );
}

export function Grid({ yAxisId }: { yAxisId?: string }) {
  return <CartesianGrid stroke="var(--line)" vertical={false} {...(yAxisId ? { yAxisId } : {})} />;
}

/** Where the model was cut to its target shape. */
export function CutMark({ yAxisId, named }: { yAxisId?: string; named?: boolean }) {
  const { cutAt } = useChartData();
  if (cutAt === null) return null;
  return (
    <ReferenceLine
      x={cutAt}
      stroke="var(--signal)"
      strokeDasharray="2 2"
      {...(yAxisId ? { yAxisId } : {})}
      {...(named
        ? { label: { value: 'cut', position: 'insideTopLeft', fill: 'var(--signal)', fontSize: 11 } }
        : {})}
    />
  );
}
