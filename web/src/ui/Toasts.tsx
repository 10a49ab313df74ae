import { Button, IconButton } from "./Button";
import { dismiss, useToasts } from "./toasts";

export function Toasts() {
  const toasts = useToasts((state) => state.toasts);
  return (
    <section className="toasts" aria-label="Messages" aria-live="polite">
      {toasts.map((toast) => (
        <div
          key={toast.id}
          className={`toast toast-${toast.tone}`}
          role={toast.tone === "fault" ? "alert" : "status"}
        >
          <span>{toast.text}</span>
          {toast.action && (
            <Button
              tone="quiet"
              onClick={() => {
                toast.action?.act();
                dismiss(toast.id);
              }}
            >
              {toast.action.label}
            </Button>
          )}
          <IconButton icon="close" label="Dismiss" size={14} onClick={() => dismiss(toast.id)} />
        </div>
      ))}
    </section>
  );
}
