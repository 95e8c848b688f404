import type { ReactNode } from 'react';

interface PanelProps {
  /** The region's accessible name, and its visible heading. */
  title: string;
  className?: string;
  /** Beside the heading: switches and small buttons. */
  actions?: ReactNode;
  children: ReactNode;
}

export function Panel({ title, className = '', actions, children }: PanelProps) {
  return (
    <section className={`panel ${className}`} aria-label={title}>
      <header className="panel-head">
        <h2>{title}</h2>
        {actions && <div className="panel-actions">{actions}</div>}
      </header>
      {children}
    </section>
  );
}
