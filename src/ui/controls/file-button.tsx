import { useRef, type ReactNode } from 'react';

interface FileButtonProps {
  /** What the button says. */
  children: ReactNode;
  title: string;
  /** File types, as an input of files takes them. */
  accept: string;
  /** Names the hidden input. */
  fileLabel: string;
  disabled?: boolean;
  onFile(file: File): void;
}

/** A quiet button that asks for one file; the same file can be chosen again. */
export function FileButton({
  children,
  title,
  accept,
  fileLabel,
  disabled = false,
  onFile,
}: FileButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button
        type="button"
        className="quiet"
        disabled={disabled}
        title={title}
        onClick={() => input.current?.click()}
      >
        {children}
      </button>
      <input
        ref={input}
        type="file"
        accept={accept}
        hidden
        aria-label={fileLabel}
        onChange={({ target }) => {
          const [file] = target.files ?? [];
          if (file) onFile(file);
          target.value = '';
        }}
      />
    </>
  );
}
