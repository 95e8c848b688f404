import { CartesianGrid, ReferenceLine, XAxis, YAxis } from 'recharts';
import { formatCount, formatNumber } from '../core/format';
import { useChartData } from './chart-data';

export const SYNC = 'bench';
export const MARGIN = { top: 6, right: 10, bottom: 0, left: 0 } as const;
export const CURSOR = { stroke: 'var(--signal)', strokeWidth: 1 } as const;
export const AXIS_WIDTH = 40;

export const TICK = { fill: 'var(--muted)', fontSize: 10.5 };

/** The x axis that all charts share. */
export function SharedXAxis() {
  const { xAxis, extent } = useChartData();
  return (
    <XAxis
      dataKey={xAxis}
      type="number"
      domain={extent}
      allowDataOverflow
      tickFormatter={formatCount}
      tick={TICK}
      tickLine={false}
      axisLine={{ stroke: 'var(--line-strong)' }}
      minTickGap={36}
      height={18}
    />
  );
}

interface ValueAxisProps {
  id?: string;
  side?: 'left' | 'right';
  logarithmic?: boolean;
  domain?: [number | 'auto', number | 'auto' | ((largest: number) => number)];
  format?(value: number): string;
  ticks?: number[];
  hidden?: boolean;
}

export function ValueAxis({ id, side = 'left', logarithmic, domain, format, ticks, hidden }: ValueAxisProps) {
  return (
    <YAxis
      {...(id ? { yAxisId: id } : {})}
      orientation={side}
      hide={hidden ?? false}
      width={AXIS_WIDTH}
      scale={logarithmic ? 'log' : 'linear'}
      domain={domain ?? (logarithmic ? ['dataMin', 'dataMax'] : ['auto', 'auto'])}
      tickFormatter={format ?? ((value: number) => formatNumber(value, 2))}
      tick={TICK}
      tickLine={false}
      axisLine={false}
      {...(ticks ? { ticks } : {})}
      allowDataOverflow={logarithmic ?? false}
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
