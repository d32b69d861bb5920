// What the doctor's page sends: the button that was pressed. The page that follows has the focus where it was.
const editor = acquireVsCodeApi();

document.addEventListener('click', ({ target }) => {
  const button = target instanceof Element ? target.closest('button') : undefined;
  if (!button) return;
  editor.setState({ focused: button.id });
  editor.postMessage('again' in button.dataset ? { again: true } : { remedy: button.dataset.remedy });
});

document.getElementById(editor.getState()?.focused ?? '')?.focus();
