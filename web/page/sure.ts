import { element } from "./dom";

/**
 * Asks whether somebody is sure, in the place of the buttons that led there, which
 * come back whatever the answer. The focus goes to the way back.
 */
export function ask(buttons: HTMLElement, question: string, yes: string, no: string, then: () => void): void {
  const opener = document.activeElement;
  const confirm = element("button", { type: "button", class: "accent" }, yes);
  const back = element("button", { type: "button", class: "quiet" }, no);
  const box = element("div", { class: "sure", role: "group", "aria-label": question }, element("p", {}, question), element("div", { class: "row" }, back, confirm));
  const close = (): void => {
    box.remove();
    buttons.hidden = false;
    if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
  };
  back.addEventListener("click", close);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
  confirm.addEventListener("click", () => {
    close();
    then();
  });
  buttons.hidden = true;
  buttons.after(box);
  back.focus();
}
