/** A part of a panel that is folded away, and opens by itself where something in it is wrong. */
import { type ReactNode, useEffect, useRef } from "react";

export function Fold({
  className,
  urged,
  children,
}: {
  className: string;
  /** Whether something in it has to be seen. Where that is over it stays as it is. */
  urged: boolean;
  children: ReactNode;
}) {
  const fold = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    if (urged && fold.current) fold.current.open = true;
  }, [urged]);
  return (
    <details className={className} ref={fold}>
      {children}
    </details>
  );
}
