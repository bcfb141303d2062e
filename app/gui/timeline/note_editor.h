// The line that a note's text is written in, on the timeline. Ends once: by Enter or by leaving it, with the text, or
// by Esc.
#pragma once

#include <QLineEdit>

namespace gapscope {

class NoteEditor : public QLineEdit {
    Q_OBJECT

public:
    static constexpr int kMostLetters = 1000;  // as UTF-8 within what a trace keeps of a note

    explicit NoteEditor(QWidget* parent);
    void open(const QString& text, QRect place);
    void giveUp() { end(false); }
    void finish() { end(true); }

Q_SIGNALS:
    void written(const QString& text);
    void givenUp();

protected:
    bool event(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;

private:
    void end(bool keep);

    bool m_open = false;
};

}  // namespace gapscope
