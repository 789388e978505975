import { createContext, type ReactNode, useCallback, useContext, useEffect, useState } from 'react';

const Say = createContext<(text: string) => void>(() => {});

/** Says something in passing. */
export function useToast(): (text: string) => void {
  return useContext(Say);
}

/** Place at which things are said in passing. */
export function Toasts({ children }: { children: ReactNode }) {
  const [text, setText] = useState<string>();
  const say = useCallback((next: string) => setText(next), []);
  useEffect(() => {
    if (text === undefined) return undefined;
    const timer = setTimeout(() => setText(undefined), 6_000);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <Say.Provider value={say}>
      {children}
      <div aria-live="polite">{text !== undefined && <div className="toast">{text}</div>}</div>
    </Say.Provider>
  );
}
