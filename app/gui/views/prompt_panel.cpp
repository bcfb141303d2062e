#include "app/gui/views/prompt_panel.h"

#include <QPlainTextEdit>
#include <QScrollBar>
#include <QVBoxLayout>

#include "app/gui/views/card.h"

namespace gapscope {

PromptPanel::PromptPanel(QWidget* parent)
    : QWidget(parent),
      m_promptTitle(new Label(LabelRole::Heading, {}, this)),
      m_prompt(new QPlainTextEdit(this)),
      m_output(new QPlainTextEdit(this)),
      m_noise(new Label(LabelRole::Body, tr("The weights are random: this text is noise. Timings are real."), this)),
      m_status(new Label(LabelRole::Quiet, {}, this)) {
    setObjectName(QStringLiteral("promptPanel"));
    m_prompt->setObjectName(QStringLiteral("promptEdit"));
    m_prompt->setTabChangesFocus(true);
    m_output->setObjectName(QStringLiteral("outputText"));
    m_output->setAccessibleName(tr("Output"));
    m_output->setReadOnly(true);
    m_output->setPlaceholderText(tr("The text appears here while the model runs."));
    m_noise->setWordWrap(true);
    m_noise->hide();
    m_status->setWordWrap(true);

    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(4);
    m_promptTitle->setBuddy(m_prompt);
    m_promptTitle->setWordWrap(true);
    setBatch(1);
    layout->addWidget(m_promptTitle);
    layout->addWidget(m_prompt, 2);
    layout->addSpacing(4);
    layout->addWidget(new Label(LabelRole::Heading, tr("Output"), this));
    layout->addWidget(m_noise);
    layout->addWidget(m_output, 5);
    layout->addWidget(m_status);
    connect(m_prompt, &QPlainTextEdit::textChanged, this, &PromptPanel::promptChanged);
}

QString PromptPanel::prompt() const {
    return m_prompt->toPlainText();
}
void PromptPanel::setPrompt(const QString& prompt) {
    if (prompt != m_prompt->toPlainText()) m_prompt->setPlainText(prompt);
}

void PromptPanel::setBatch(int batch) {
    const QString title = batch > 1 ? tr("Prompts, one a line") : tr("Prompt");
    m_promptTitle->setText(title);
    m_prompt->setAccessibleName(title);
    m_prompt->setPlaceholderText(batch > 1 ? tr("What the model should go on from: each line is a prompt of its own, "
                                                "and up to %1 run together")
                                                 .arg(batch)
                                           : tr("What the model should go on from"));
}

QString PromptPanel::output() const {
    return m_output->toPlainText();
}

void PromptPanel::showOutput(const QString& text) {
    const QString before = output();
    if (text == before) return;
    const QScrollBar* bar = m_output->verticalScrollBar();
    const bool atEnd = bar->value() >= bar->maximum() - 2;
    if (!before.isEmpty() && text.startsWith(before)) {
        QTextCursor cursor(m_output->document());
        cursor.movePosition(QTextCursor::End);
        cursor.insertText(text.mid(before.size()));
    } else {
        m_output->setPlainText(text);
    }
    if (atEnd) m_output->verticalScrollBar()->setValue(m_output->verticalScrollBar()->maximum());
}

void PromptPanel::setNoise(bool noise) {
    m_noise->setVisible(noise);
}

void PromptPanel::setStatus(const QString& sentence) {
    m_status->setText(sentence);
}

}  // namespace gapscope
