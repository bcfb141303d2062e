// The left side: the prompt, and the text as it is generated.
#pragma once

#include <QWidget>

#include "core/trace/run_info.h"

class QPlainTextEdit;

namespace gapscope {

class Label;

class PromptPanel : public QWidget {
    Q_OBJECT

public:
    explicit PromptPanel(QWidget* parent = nullptr);

    QString prompt() const;
    void setPrompt(const QString& prompt);
    void setBatch(int batch);  // above 1 each line is a prompt, and it says so

    // The text so far; appends where it only grew, so that a person's scrolling and selection stay.
    void showOutput(const QString& text);
    QString output() const;
    void setNoise(bool noise);                // random weights: the text means nothing
    void setStatus(const QString& sentence);  // under the output

    QSize sizeHint() const override { return {230, 500}; }

Q_SIGNALS:
    void promptChanged();

private:
    Label* m_promptTitle;
    QPlainTextEdit* m_prompt;
    QPlainTextEdit* m_output;
    Label* m_noise;
    Label* m_status;
};

}  // namespace gapscope
