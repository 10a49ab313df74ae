/** A part of the page that may fail by itself: the others go on, and a person can bring it back. */
import { Component, type ErrorInfo, type ReactNode } from "react";
import { Button } from "./Button";

interface Properties {
  /** What it is, as in "The timeline". */
  name: string;
  className?: string;
  /** Called when it failed, before anything else can. */
  failed?: () => void;
  children: ReactNode;
}

export class Boundary extends Component<Properties, { fault: Error | null }> {
  override state: { fault: Error | null } = { fault: null };

  static getDerivedStateFromError(fault: Error): { fault: Error } {
    return { fault };
  }

  override componentDidCatch(fault: Error, { componentStack }: ErrorInfo): void {
    console.error(fault, componentStack);
    this.props.failed?.();
  }

  override render(): ReactNode {
    const { name, className = "", children } = this.props;
    if (!this.state.fault) return children;
    return (
      <section className={`broken ${className}`} role="alert" aria-label={name}>
        <p>
          <b>{name} stopped working.</b> Your shot and your takes are kept.
        </p>
        <p className="broken-ways">
          <Button tone="primary" onClick={() => this.setState({ fault: null })}>
            Try again
          </Button>
          <Button onClick={() => location.reload()}>Reload the page</Button>
        </p>
        <small>{this.state.fault.message}</small>
      </section>
    );
  }
}
