"use strict";
(() => {
  document.documentElement.classList.add("scripted");
  const sound = document.getElementById("sound");
  const picture = document.getElementById("picture");
  const cursor = document.getElementById("cursor");
  const scroll = picture && picture.parentElement;
  const length = picture ? Number(picture.dataset.length) : 0;
  const offset = sound ? Number(sound.dataset.from || 0) : 0;
  const rows = [...document.querySelectorAll(".rows > li[data-from]")];
  const cards = [...document.querySelectorAll(".card")];
  const keys = document.getElementById("keys");
  let chosen = -1;

  const bring = (row) => {
    const pane = row.closest("section");
    if (pane.scrollHeight <= pane.clientHeight) return;
    const place = row.getBoundingClientRect().top - pane.getBoundingClientRect().top;
    if (place < 0 || place > pane.clientHeight - 80) pane.scrollTop += place - pane.clientHeight / 3;
  };

  const show = (ms, follow) => {
    if (!picture) return;
    const place = Math.min(Math.max(ms / length, 0), 1);
    cursor.setAttribute("x1", `${place * 100}%`);
    cursor.setAttribute("x2", `${place * 100}%`);
    const left = place * picture.getBoundingClientRect().width;
    if (follow && (left < scroll.scrollLeft || left > scroll.scrollLeft + scroll.clientWidth)) {
      scroll.scrollLeft = left - scroll.clientWidth / 4;
    }
    for (const row of rows) {
      const from = Number(row.dataset.from);
      const now = from <= ms && ms < Math.max(Number(row.dataset.to), from + 400);
      if (now && follow && !row.classList.contains("now")) bring(row);
      row.classList.toggle("now", now);
    }
  };

  const go = (ms, play) => {
    show(ms, true);
    if (!sound) return;
    sound.currentTime = Math.max(0, (ms - offset) / 1000);
    if (play) sound.play().catch(() => {});
  };

  if (sound) {
    const follow = () => { show(sound.currentTime * 1000 + offset, true); if (!sound.paused) requestAnimationFrame(follow); };
    sound.addEventListener("play", follow);
    sound.addEventListener("seeked", () => { if (sound.paused) show(sound.currentTime * 1000 + offset, true); });
  }

  document.addEventListener("click", (click) => {
    const zoom = click.target.closest("[data-zoom]");
    if (zoom) {
      const width = picture.getBoundingClientRect().width;
      const wanted = { in: width * 1.6, out: width / 1.6, fit: 0 }[zoom.dataset.zoom];
      const middle = (scroll.scrollLeft + scroll.clientWidth / 2) / width;
      picture.setAttribute("width", Math.round(Math.min(60000, Math.max(1, wanted))));
      scroll.scrollLeft = middle * picture.getBoundingClientRect().width - scroll.clientWidth / 2;
      return;
    }
    if (click.target.closest("#show-keys")) return keys.showModal();
    const moment = click.target.closest("button[data-ms], .w[data-ms]");
    if (moment) return go(Number(moment.dataset.ms), true);
    const row = click.target.closest(".rows > li[data-from]");
    if (row && !click.target.closest("a") && !String(getSelection())) return go(Number(row.dataset.from), true);
    if (picture && picture.contains(click.target) && !click.target.closest("a")) {
      const box = picture.getBoundingClientRect();
      go(((click.clientX - box.left) / box.width) * length, true);
    }
  });

  const choose = (index) => {
    if (!cards.length) return;
    chosen = Math.min(Math.max(index, 0), cards.length - 1);
    const card = cards[chosen];
    card.focus({ preventScroll: true });
    card.scrollIntoView({ block: "start" });
    go(Number(card.dataset.ms), false);
  };

  document.addEventListener("focusin", (focus) => {
    const card = focus.target.closest(".card");
    if (card) chosen = cards.indexOf(card);
  });

  document.addEventListener("keydown", (key) => {
    if (key.ctrlKey || key.metaKey || key.altKey || key.isComposing || (keys && keys.open)) return;
    const at = key.target;
    if (at.closest("input, textarea, select, audio")) return;
    const sideways = !at.closest(".scroll");
    if (key.key === "j" || (key.key === "ArrowRight" && sideways)) choose(chosen + 1);
    else if (key.key === "k" || (key.key === "ArrowLeft" && sideways)) choose(chosen - 1);
    else if (key.key === " " && sound && !at.closest("button, summary, a")) {
      if (sound.paused) sound.play().catch(() => {}); else sound.pause();
    } else if (key.key === "?" && keys) keys.showModal();
    else return;
    key.preventDefault();
  });

  const figures = document.getElementById("figures");
  if (figures) figures.addEventListener("change", () => document.body.classList.toggle("figures", figures.checked));

  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let box = target; box; box = box.parentElement) if (box.tagName === "DETAILS") box.open = true;
    const inner = target.querySelector(":scope > details");
    if (inner) inner.open = true;
    target.scrollIntoView({ block: "center" });
    if (target.tabIndex === -1 && target.hasAttribute("tabindex")) target.focus({ preventScroll: true });
  };
  addEventListener("hashchange", reveal);
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll(".group:not([open]), .fold:not([open])")];
    for (const box of folded) box.open = true;
  });
  addEventListener("afterprint", () => { for (const box of folded) box.open = false; folded = []; });
  reveal();
})();
