// Where Streamlit calls: once for every message and every change of theme.

import { App } from "./app";
import type { Message } from "./protocol";

interface Component {
  data: Message | null;
  parentElement: ShadowRoot | HTMLElement;
  setStateValue: (name: string, value: unknown) => void;
  setTriggerValue: (name: string, value: unknown) => void;
}

const apps = new WeakMap<object, App>();

export default function (component: Component): () => void {
  const { data, parentElement, setStateValue, setTriggerValue } = component;
  const app = apps.get(parentElement) ?? new App(parentElement);
  apps.set(parentElement, app);
  if (data) void app.update(data, { setState: setStateValue, trigger: setTriggerValue });
  return () => {
    app.destroy();
    apps.delete(parentElement);
  };
}
